/* network.device-alters: a device on the way changes what it should only pass on: payload, or SACK blocks that it forgets. */
#include <stdio.h>

#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "finding_list.h"
#include "settling.h"
#include "signs.h"
#include "survey.h"

/* Whoever overwrites a capture's payload to share it leaves few packets as they were; then both ends would have been unable to talk. A
 * device that changes something leaves most as they were. */
static bool is_altered(const struct comparison *comparison, enum side sender)
{
    const struct passage *out = &comparison->passages[SIDE_CLIENT], *back = &comparison->passages[SIDE_SERVER];
    return comparison->passages[sender].payloads_changed > 0 &&
           (out->payloads_changed + back->payloads_changed) * 2 < out->payloads_compared + back->payloads_compared;
}

static const char *direction(enum side sender)
{
    return sender == SIDE_CLIENT ? "to the server" : "to the client";
}

/* What a side does that got bytes which it cannot make sense of. */
static bool came_to_grief(const struct conversation *c, const struct surroundings *s)
{
    return c->ending == ENDING_RESET || c->ending == ENDING_TIMEOUT || signs_of_login_halt(c, s).halted ||
           (c->first_close_known && c->closed_first_by == SIDE_SERVER);
}

/* TCP throws a packet with a wrong checksum away without a word (RFC 9293, 3.1), so that its sender repeats it in vain. */
static bool arrives_damaged(const struct conversation *at_receiver, const struct surroundings *s, enum side sender)
{
    bool in_vain = signs_of_silence(at_receiver).held ||
                   (!conversation_established(at_receiver) && at_receiver->sides[sender].syn_retransmits > 0);
    return in_vain && signs_of_damage(at_receiver, s, sender) && !signs_of_one_direction(at_receiver);
}

static void say_damaged(const struct conversation *at_receiver, enum side sender, struct judgement *judgement)
{
    const struct tcp_side *self = &at_receiver->sides[sender];
    judgement_prove(judgement, &self->first_retransmit, "the %s repeats a packet", side_name(sender));
    judgement_prove(judgement, &self->last_retransmit, "its last repetition");
    judgement_say(judgement,
                  "%s on the way %s damaged, with a wrong TCP checksum: the receiver's TCP throws such a packet away, "
                  "and its sender repeats it.",
                  count_words(at_receiver->sides[sender].damaged, "packet").text,
                  sender == SIDE_CLIENT ? "to the server arrived" : "to the client arrived");
}

/* From the receiver alone the sender's network card is as likely as a device on the way. */
static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    enum capture_role role = surroundings_role(s, c);
    enum side sender = role == CAPTURE_ROLE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    if (role != CAPTURE_ROLE_CLIENT && role != CAPTURE_ROLE_SERVER)
        return false;
    if (!signs_of_sql(c, s) || !arrives_damaged(c, s, sender))
        return false;
    judgement_leave_open(judgement, 0.8);
    judgement->would_settle = settle_by_capture_at(sender);
    say_damaged(c, sender, judgement);
    return true;
}

/* What left with the right checksum was damaged on the way. Where the card was to make it, the card may have. */
static bool judge_damaged(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    for (enum side sender = SIDE_CLIENT; sender < SIDES; sender++) {
        const struct conversation *own = pair_view_at(view, sender), *receiver = pair_view_at(view, side_other(sender));
        if (!arrives_damaged(receiver, s, sender))
            continue;
        bool whole = own->sides[sender].sound && own->sides[sender].damaged == 0;
        judgement->confidence = whole ? 0.97 : 0.8;
        if (!whole) {
            judgement->culprit = CULPRIT_UNKNOWN;
            judgement->would_settle = "A test with the sender's checksum offload switched off: see `tdscope explain "
                                      "server.offload`.";
        }
        say_damaged(receiver, sender, judgement);
        judgement_say_more(
            judgement,
            whole ? "They left their machine whole."
                  : "The sender's network card was to make the checksums: it, or a device on the way, is at fault.");
        return true;
    }
    return false;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (!view->compared || !view->server || !signs_of_sql(view->client, s))
        return false;
    if (judge_damaged(view, s, judgement))
        return true;
    for (enum side sender = SIDE_CLIENT; sender < SIDES; sender++) {
        const struct passage *passage = &view->compared->passages[sender];
        const struct conversation *receiver = pair_view_at(view, side_other(sender));
        struct moment close = conversation_first_close(receiver);
        if (!is_altered(view->compared, sender) || !came_to_grief(receiver, s) ||
            (moment_seen(&close) && close.time_ns < passage->first_changed.time_ns))
            continue;
        judgement->confidence = 0.9;
        judgement_prove(judgement, &passage->first_changed, "this packet left its machine with another payload");
        judgement_prove(judgement, &close, "the connection ends");
        judgement_say(judgement,
                      "On the way %s the payload of %u of %s was changed, %s before the connection ended: what arrived "
                      "is not what was sent.",
                      direction(sender), passage->payloads_changed,
                      count_words(passage->payloads_compared, "packet").text,
                      seconds_words(moment_seen(&close) ? close.time_ns - passage->first_changed.time_ns : 0).text);
        return true;
    }
    return false;
}

/* Of all connections that were compared, by direction. */
struct alterations {
    uint32_t compared, with_payload[SIDES], with_sack[SIDES];
    struct moment payload, sack; /* the first of each */
};

static struct finding *add_finding(struct survey *survey, const struct conversation *c)
{
    struct finding *finding = survey_add(survey, SCOPE_PATH);
    finding->severity = SEVERITY_RISK;
    finding->client = c->ends[SIDE_CLIENT].address;
    finding->server = c->ends[SIDE_SERVER];
    finding->example.severity = SEVERITY_RISK;
    return finding;
}

static void say(struct finding *finding, const struct alterations *found)
{
    struct judgement *example = &finding->example;
    uint32_t payload = found->with_payload[SIDE_CLIENT] + found->with_payload[SIDE_SERVER];
    uint32_t sack = found->with_sack[SIDE_CLIENT] + found->with_sack[SIDE_SERVER];
    example->confidence = payload > 0 ? 0.8 : 0.9;
    judgement_prove(example, &found->payload, "this packet left its machine with another payload");
    judgement_prove(example, &found->sack, "its SACK block still has the numbers that it left with, the rest has not");
    char which[COUNT_TEXT_SIZE + 64] = "The connection that was compared packet by packet has";
    if (found->compared > 1)
        snprintf(which, sizeof which, "Some of the %u connections compared packet by packet have", found->compared);
    judgement_say(example, "%s%s%s", which, payload > 0 ? " packets whose payload was changed on the way" : "",
                  sack == 0     ? "."
                  : payload > 0 ? ", and"
                                : "");
    if (sack > 0)
        judgement_say_more(example, "sequence numbers that a device translates, but not inside SACK blocks: who gets "
                                    "those cannot use them, and after a loss waits for its timer instead.");
    finding_measure(finding, "compared", found->compared);
    finding_measure(finding, "payload_changed_to_server", found->with_payload[SIDE_CLIENT]);
    finding_measure(finding, "payload_changed_to_client", found->with_payload[SIDE_SERVER]);
    finding_measure(finding, "sack_untranslated_to_server", found->with_sack[SIDE_CLIENT]);
    finding_measure(finding, "sack_untranslated_to_client", found->with_sack[SIDE_SERVER]);
}

static bool add_alterations(struct alterations *found, const struct comparison *comparison)
{
    bool any = false;
    for (enum side sender = SIDE_CLIENT; sender < SIDES; sender++) {
        const struct passage *passage = &comparison->passages[sender];
        bool payload = is_altered(comparison, sender), sack = passage->sack_untranslated > 0;
        if (payload && !moment_seen(&found->payload))
            found->payload = passage->first_changed;
        if (sack && !moment_seen(&found->sack))
            found->sack = passage->first_sack_untranslated;
        found->with_payload[sender] += payload;
        found->with_sack[sender] += sack;
        any = any || payload || sack;
    }
    return any;
}

static bool is_compared(const struct conversation *c, const struct surroundings *surroundings)
{
    (void)surroundings;
    return c->comparison && !c->secondary;
}

static void survey_pairs(struct survey *survey)
{
    const struct surroundings *s = survey->surroundings;
    struct alterations found = {0};
    struct finding *finding = NULL;
    const struct numbers *compared = survey_suspects(survey);
    for (uint32_t i = 0; i < compared->count; i++) {
        const struct conversation *c = casebook_conversation(s->casebook, compared->list[i]);
        struct pair_view view;
        if (!pair_view_of(s, c, &view) || !view.compared || !signs_of_sql(c, s))
            continue;
        found.compared++;
        if (!add_alterations(&found, view.compared))
            continue;
        finding = finding ? finding : add_finding(survey, c);
        survey_concern(finding, c);
    }
    if (finding)
        say(finding, &found);
}

static const char *const actions[] = {
    "Find the device: capture on the way, in front of it and behind it, and give all captures at once; the report says "
    "between which two it happens.",
    "Switch off what looks into packets there: WAN optimisation, intrusion prevention, \"SQL inspection\" or "
    "\"application control\", and sequence number randomisation (Cisco ASA: `set connection random-sequence-number "
    "disable`).",
    "If the SACK blocks are the fault and the device cannot be changed: `sysctl -w net.ipv4.tcp_sack=0` on Linux, "
    "until it is.",
    "Encrypt the connection (`Encrypt=yes`): then a changed payload is refused instead of being believed.",
    NULL,
};

const struct detector network_device_alters = {
    .cause = "network.device-alters",
    .title = "A device on the way changes packets",
    .holds_when = "Packets arrive with a wrong TCP checksum, while others arrive whole, and what their sender repeats "
                  "never comes through. In a capture of one end the culprit stays open: the sender's network card may "
                  "have damaged them. All else needs captures of both ends.",
    .holds_with_both =
        "The same, and the packets left whole (where the sender's card was to make the checksums, the culprit stays "
        "open). Or a packet that arrived whole, and not cut or joined, has another payload than when it left, while "
        "most others have the same; or its SACK blocks bear the numbers of the other end although a device translates "
        "sequence numbers. A fault when the connection then ends with a reset, a time-out, the server's close or an "
        "unfinished login, else a risk. Checksums that the card makes, an MSS that a router lowers, windows, addresses "
        "and ports do not count. When most packets differ, one of the captures was overwritten, and nothing follows.",
    .means =
        "TCP protects by a checksum that every device may make anew, so that neither end notices. A payload that is "
        "not the one sent breaks TLS or the TDS stream. A firewall that draws sequence numbers anew has to translate "
        "those in SACK, too (RFC 2018, 3); where it does not, each loss costs a time-out. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
    .suspects = is_compared,
    .survey = survey_pairs,
};
