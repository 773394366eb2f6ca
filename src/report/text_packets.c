/* One conversation for people who want to see it themselves. */
#include "text_packets.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "count_words.h"
#include "fact_names.h"
#include "login_timeline.h"
#include "packet_words.h"
#include "tds_version_names.h"
#include "text_crossings.h"
#include "text_layout.h"
#include "timeline_names.h"
#include "tls_handshake.h"
#include "tls_names.h"
#include "wireshark_filter.h"

/* Between two lines for client and server. */
enum { LADDER_COLUMNS = 46, FRAME_TEXT_SIZE = 12 };

static const struct capture_facts *capture_of(const struct casebook *casebook, const struct conversation *c)
{
    return c->capture_first < casebook->capture_count ? &casebook->captures[c->capture_first] : NULL;
}

static void put_who(const struct report *report, const struct conversation *c, struct sink *sink)
{
    char client[ENDPOINT_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], begin[CLOCK_TEXT_SIZE];
    char lasted[QUANTITY_TEXT_SIZE], bytes[QUANTITY_TEXT_SIZE];
    layout_colour(sink, COLOUR_STRONG);
    sink_format(sink, "Conversation %" PRIu32 ": %s -> %s\n", c->id, endpoint_text(&c->ends[SIDE_CLIENT], client),
                endpoint_text(&c->ends[SIDE_SERVER], server));
    layout_colour(sink, COLOUR_PLAIN);
    const struct capture_facts *capture = capture_of(report->casebook, c);
    if (capture) {
        sink_put(sink, "  ");
        layout_put_untrusted(sink, capture->file);
        if (capture->role != CAPTURE_ROLE_UNKNOWN)
            sink_format(sink, ", taken at the %s%s", capture_role_name(capture->role),
                        capture->role_given ? "" : " (inferred)");
        sink_put(sink, "\n");
    }
    if (c->secondary)
        sink_format(sink, "  The same connection as conversation %" PRIu32 ", as this capture has it.\n", c->twin);
    sink_format(sink, "  %s, from %s, %s; %s, %s; ", protocol_name(c->protocol),
                layout_instant(sink, c->first.time_ns, begin),
                layout_duration(c->last.time_ns - c->first.time_ns, lasted), count_words(c->packets, "packet").text,
                layout_bytes(c->wire_bytes, bytes));
    sink_format(sink, "ending: %s", ending_name(c->ending));
    if (c->first_close_known)
        sink_format(sink, ", closed first by the %s", side_name(c->closed_first_by));
    sink_put(sink, "\n");
}

static void put_relay(const struct report *report, const struct conversation *c, struct sink *sink)
{
    const struct conversation *standing = casebook_standing_view(report->casebook, c);
    if (standing->comparison && standing->comparison->relayed)
        layout_paragraph(sink, 0, 2,
                         "A device on the way ends the client's connection and opens its own to the server, under "
                         "other numbers: these are two TCP connections, whose packets are not compared.");
}

static void put_verdict(const struct report *report, const struct conversation *c, struct sink *sink)
{
    struct judgement judgement;
    judge_conversation(report->judge, c, &judgement);
    bool fault = judgement.culprit != CULPRIT_NONE;
    sink_put(sink, "  ");
    layout_colour(sink, fault ? judgement.culprit == CULPRIT_UNKNOWN ? COLOUR_UNSURE : COLOUR_BAD : COLOUR_GOOD);
    sink_format(sink, "%s (%s, %.0f %%)", judgement.detector->cause, culprit_names[judgement.culprit],
                judgement.confidence * 100);
    layout_colour(sink, COLOUR_PLAIN);
    sink_put(sink, "\n");
    if (judgement.says[0])
        layout_paragraph(sink, 0, 4, judgement.says);
}

static void add_item(struct text *line, const char *name, const char *value)
{
    if (value && value[0])
        text_format(line, "%s%s %s", line->size > 0 ? ", " : "", name, value);
}

static void put_line(struct sink *sink, const char *title, struct text *line)
{
    if (line->size > 0) {
        sink_format(sink, "  %s: ", title);
        unsigned at = (unsigned)strlen(title) + 4;
        layout_paragraph(sink, at, at, text_string(line));
    }
    text_close(line);
}

/* For a path that swallows large packets. */
static void put_sizes(const struct conversation *c, struct sink *sink)
{
    struct text line = {0};
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *facts = &c->sides[side];
        if (facts->largest_payload == 0)
            continue;
        text_format(&line, "%s%s %s", line.size > 0 ? "; " : "", side_name(side),
                    count_words(facts->largest_payload, "byte").text);
        if (facts->mss > 0)
            text_format(&line, ", announces MSS %u", facts->mss);
        if (facts->larger_unacknowledged > 0)
            text_format(&line, ", of which %" PRIu32 " were never acknowledged (the largest that was: %" PRIu32 ")",
                        facts->larger_unacknowledged, facts->largest_acknowledged);
    }
    put_line(sink, "Largest payload", &line);
}

static void put_login(const struct conversation *c, struct sink *sink)
{
    const struct tds_facts *tds = c->tds;
    char version[VERSION_TEXT_SIZE];
    struct text line = {0};
    add_item(&line, "stage", login_stage_name(conversation_login_stage(c)));
    add_item(&line, "encryption", encryption_name(tds->encryption));
    uint32_t number = tds->tds_version ? tds->tds_version : tds->tds_version_client;
    add_item(&line, "TDS", number ? tds_version_text(number, version) : NULL);
    add_item(&line, "user", tds->user);
    add_item(&line, "host", tds->client_host);
    add_item(&line, "application", tds->application);
    add_item(&line, "database", tds->database);
    add_item(&line, "by", authentication_name(tds->authentication));
    add_item(&line, "token from", tds->sts_url);
    add_item(&line, "server", tds->server_version ? server_version_text(tds->server_version, version) : NULL);
    put_line(sink, "Login", &line);
    if (tds->login_error.number == 0)
        return;
    text_format(&line, "%" PRIu32 ", state %u", tds->login_error.number, tds->login_error.state);
    add_item(&line, "", tds->login_error.message);
    put_line(sink, "Error", &line);
}

static void put_certificate(const struct tls_certificate *certificate, struct sink *sink)
{
    struct text line = {0};
    text_add(&line, certificate->subject ? certificate->subject : "without a name");
    if (certificate->sql_self_signed)
        text_add(&line, ", made by SQL Server itself because none was installed");
    else if (certificate->self_signed)
        text_add(&line, ", self-signed");
    else
        add_item(&line, "issued by", certificate->issuer);
    if (certificate->not_after[0])
        text_format(&line, ", valid from %.10s to %.10s", certificate->not_before, certificate->not_after);
    if (certificate->key)
        text_format(&line, ", %s %u bits", certificate->key, certificate->key_bits);
    for (unsigned i = 0; i < certificate->name_count; i++)
        text_format(&line, "%s%s", i ? " " : ", for ", certificate->names[i]);
    put_line(sink, "Certificate", &line);
}

static void put_tls(const struct conversation *c, struct sink *sink)
{
    const struct tds_facts *tds = c->tds;
    const struct tls_facts *tls = tds->tls;
    char name[TLS_NAME_SIZE];
    struct text line = {0};
    if (tds->tls_version)
        text_add(&line, tls_version_name(tds->tls_version, name));
    else if (tds->tls_version_client)
        text_format(&line, "at most %s offered", tls_version_name(tds->tls_version_client, name));
    add_item(&line, "cipher", tds->cipher_suite ? tls_cipher_suite_name(tds->cipher_suite, name) : NULL);
    add_item(&line, "server name", tls->server_name);
    add_item(&line, "ALPN", tls->alpn ? tls->alpn : tls->alpn_offered);
    if (tls->resumption > TLS_RESUMPTION_NONE)
        text_add(&line, ", resumed");
    struct tls_handshake handshake = tls_handshake_of(c);
    if (handshake.stopped)
        text_format(&line, "%sbroken off by the %s", line.size > 0 ? "; " : "", side_name(handshake.stopped_by));
    put_line(sink, "TLS", &line);
    if (tls->chain_length > 0 && tls->chain[0] && tls->chain[0]->readable)
        put_certificate(tls->chain[0], sink);
    else if (tls->certificate_seen)
        sink_put(sink, "  Certificate: not captured as a whole\n");
}

static void entry_words(const struct conversation *c, const struct timeline_entry *entry, struct text *words)
{
    if (entry->step == TIMELINE_CLOSED) {
        text_format(words, "the %s closes the connection", side_name(entry->sender));
        return;
    }
    if (entry->step != TIMELINE_TLS_ALERT) {
        text_add(words, timeline_step_words(entry->step));
        return;
    }
    const struct tls_alert *alert = &c->tds->tls->alerts[0];
    const char *name = alert->encrypted ? "that is encrypted" : tls_alert_name(alert->number);
    text_format(words, "TLS: the %s sends an alert: %s", side_name(entry->sender), name ? name : "without a name");
}

static void put_entry(const struct conversation *c, const struct login_timeline *timeline, unsigned number,
                      struct sink *sink)
{
    const struct timeline_entry *entry = &timeline->entries[number];
    char clock[CLOCK_TEXT_SIZE], took[QUANTITY_TEXT_SIZE] = "";
    if (entry->duration_ns >= 0)
        layout_duration(entry->duration_ns, took);
    bool slowest = (int)number == timeline->slowest;
    struct text words = {0};
    entry_words(c, entry, &words);
    layout_colour(sink, slowest ? COLOUR_STRONG : COLOUR_PLAIN);
    char frame[FRAME_TEXT_SIZE] = "";
    if (moment_seen(&entry->moment))
        snprintf(frame, sizeof frame, "%" PRIu32, entry->moment.frame);
    sink_format(sink, "  %8s  %s  %12s  %-10s  %s%s\n", frame, layout_clock(sink, entry->moment.time_ns, clock), took,
                number ? waited_for_name(entry->waited_for) : "", text_string(&words), slowest ? "  <- slowest" : "");
    layout_colour(sink, COLOUR_PLAIN);
    text_close(&words);
}

/* What talks something else has no login. */
static bool may_be_login(const struct conversation *c)
{
    return c->tds || (c->sides[SIDE_CLIENT].data_packets == 0 && c->sides[SIDE_SERVER].data_packets == 0);
}

static const char *end_of_login(const struct conversation *c, const struct login_timeline *timeline)
{
    if (timeline->over)
        return "in all, until the login was answered";
    if (login_half_captured(c))
        return "in all, of what was captured: the packets of one side";
    if (c->tds && moment_seen(&c->tds->steps[LOGIN_STEP_LOGIN_ANSWER]))
        return "in all, and what the answer to the login says cannot be read";
    return "in all, and the login did not end";
}

static void put_timeline(const struct casebook *casebook, const struct conversation *c, struct sink *sink)
{
    struct login_timeline timeline;
    login_timeline_read(c, login_timeline_end_ns(casebook, c), &timeline);
    if (timeline.count == 0 || !may_be_login(c))
        return;
    layout_heading(sink, "Login step by step");
    sink_format(sink, "  %8s  %-12s  %12s  waited for\n", "frame", "time", "took");
    for (unsigned i = 0; i < timeline.count; i++)
        put_entry(c, &timeline, i, sink);
    char total[QUANTITY_TEXT_SIZE];
    if (timeline.total_ns >= 0)
        sink_format(sink, "  %8s  %-12s  %12s  %s\n", "", "", layout_duration(timeline.total_ns, total),
                    end_of_login(c, &timeline));
}

static void put_repeated(struct sink *sink, const char *piece, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        sink_put(sink, piece);
}

/* "|-- words ---->|", or from the right to the left. Words that do not fit are cut. */
static void put_rung(struct sink *sink, const char *words, bool to_right)
{
    enum { ARROW_LEAST = 3, ENDS = 4 };
    char shown[LADDER_COLUMNS];
    snprintf(shown, sizeof shown, "%.*s", LADDER_COLUMNS - ARROW_LEAST - ENDS - 1, words);
    unsigned line = (unsigned)(LADDER_COLUMNS - ENDS) - (unsigned)strlen(shown);
    if (to_right) {
        sink_format(sink, "|- %s ", shown);
        put_repeated(sink, "-", line - 1);
        sink_put(sink, ">|");
    } else {
        sink_put(sink, "|<");
        put_repeated(sink, "-", line - 1);
        sink_format(sink, " %s -|", shown);
    }
}

static enum text_colour rung_colour(const struct shown_packet *packet)
{
    enum { FLAG_RST = 4 };
    if (packet->flags & FLAG_RST || packet->marks & (SHOWN_ICMP_ERROR | SHOWN_ERROR))
        return COLOUR_BAD;
    if (packet->marks & (SHOWN_RETRANSMISSION | SHOWN_ZERO_WINDOW | SHOWN_AFTER_A_HOLE | SHOWN_OUT_OF_ORDER))
        return COLOUR_UNSURE;
    return packet->payload_length > 0 ? COLOUR_PLAIN : COLOUR_FAINT;
}

static void put_packet(const struct shown_packet *packet, const struct conversation *c, enum side sender,
                       struct text *words, struct sink *sink)
{
    char clock[CLOCK_TEXT_SIZE];
    text_clear(words);
    packet_words(packet, c, sender, words);
    sink_format(sink, "%8" PRIu32 "  %s  ", packet->moment.frame, layout_clock(sink, packet->moment.time_ns, clock));
    layout_colour(sink, rung_colour(packet));
    put_rung(sink, text_string(words), sender == SIDE_CLIENT);
    layout_colour(sink, COLOUR_PLAIN);
    if (!(packet->marks & SHOWN_ICMP_ERROR))
        sink_format(sink, "  seq %" PRIu32 " ack %" PRIu32, packet->seq, packet->ack);
    if (packet->payload_length > 0)
        sink_format(sink, " len %" PRIu32, packet->payload_length);
    sink_put(sink, "\n");
}

static void put_pause(struct sink *sink, const char *text)
{
    sink_format(sink, "%8s  %12s    ... %s ...\n", "", "", text);
}

static void put_fold(const struct shown_conversation *shown, struct sink *sink)
{
    char text[80];
    uint32_t folded = shown->total - shown->first_count - shown->last_count;
    snprintf(text, sizeof text, "%s %s not shown", count_words(folded, "packet").text, folded == 1 ? "is" : "are");
    put_pause(sink, text);
}

static void put_ladder(const struct shown_conversation *shown, const struct conversation *c, struct sink *sink)
{
    layout_heading(sink, "Packets");
    sink_format(sink, "%8s  %-12s  %-*s%s\n", "frame", "time", LADDER_COLUMNS - 6, "client", "server");
    struct text words = {0};
    uint32_t kept = shown->first_count + shown->last_count;
    for (uint32_t i = 0; i < kept && !sink->failed; i++) {
        const struct shown_packet *packet = shown_packet_at(shown, i);
        bool folded = i == shown->first_count && shown->total > kept;
        int64_t quiet_ns = i ? packet->moment.time_ns - shown_packet_at(shown, i - 1)->moment.time_ns : 0;
        char quiet[QUANTITY_TEXT_SIZE];
        if (folded)
            put_fold(shown, sink);
        else if (quiet_ns >= LAYOUT_QUIET_NS)
            put_pause(sink, layout_duration(quiet_ns, quiet));
        put_packet(packet, c, packet_sender(shown, packet, c), &words, sink);
    }
    text_close(&words);
}

static bool same_ends(const struct conversation *a, const struct conversation *b)
{
    for (unsigned i = 0; i < SIDES; i++)
        if (!endpoint_equal(&a->ends[i], &b->ends[i]))
            return false;
    return true;
}

static bool is_shown(const struct shown_packets *shown, uint32_t id)
{
    for (unsigned i = 0; i < shown->count; i++)
        if (shown->conversations[i].id == id)
            return true;
    return false;
}

/* Others of the same ends: the same connection in another capture, or an earlier or later one. */
static void put_others(const struct report *report, const struct conversation *c, struct sink *sink)
{
    char end[ENDPOINT_TEXT_SIZE];
    for (uint32_t i = 0; i < casebook_conversations(report->casebook); i++) {
        const struct conversation *other = casebook_conversation(report->casebook, i);
        if (other == c || !same_ends(other, c) || is_shown(report->shown, other->id))
            continue;
        sink_format(sink, "  More conversations have these ends; `show %s` shows them all.\n",
                    endpoint_text(&c->ends[SIDE_CLIENT], end));
        return;
    }
}

static void put_conversation(const struct report *report, const struct shown_conversation *shown,
                             const struct reused_tuples *reused, struct sink *sink)
{
    const struct conversation *c = casebook_hold_conversation(report->casebook, shown->id - 1);
    put_who(report, c, sink);
    put_verdict(report, c, sink);
    put_relay(report, c, sink);
    put_sizes(c, sink);
    if (c->tds)
        put_login(c, sink);
    if (c->tds && c->tds->tls)
        put_tls(c, sink);
    put_others(report, c, sink);
    put_timeline(report->casebook, c, sink);
    if (!text_crossings(report, c, sink))
        put_ladder(shown, c, sink);
    char filter[WIRESHARK_FILTER_SIZE];
    layout_heading(sink, "In Wireshark");
    sink_format(sink, "  %s\n", wireshark_conversation_filter(c, reused_tuples_have(reused, c), filter));
}

void text_packets(const struct report *report, struct sink *sink)
{
    struct reused_tuples reused;
    reused_tuples_open(&reused, report->casebook, report->judge->surroundings.reused_tuples);
    for (unsigned i = 0; i < report->shown->count && !sink->failed; i++) {
        sink_put(sink, i ? "\n\n" : "");
        put_conversation(report, &report->shown->conversations[i], &reused, sink);
    }
    if (report->shown->beyond > 0)
        sink_format(sink, "\n%" PRIu32 " more conversation%s of this client's end %s not shown.\n",
                    report->shown->beyond, count_plural(report->shown->beyond),
                    report->shown->beyond == 1 ? "is" : "are");
    reused_tuples_close(&reused);
}
