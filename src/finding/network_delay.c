/* network.delay: packets arrive, but far later than this path usually takes. */
#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"

/* Repetitions that turned out needless: the first copy had arrived, only late. One may be a timer that was too
 * eager. */
enum { NEEDLESS_LEAST = 2 };

/* A held-up packet is one that took so long (delay_ns) where its timer, which follows the path's round trip (RFC 6298), expected a
 * fraction of that: it was repeated more than once before its acknowledgement came. When it happens again and again, half of that
 * hurts: each step of a login and each answer takes so much longer. */
enum { LATE_OFTEN = 3 };

/* What clocks that were compared may differ by. */
#define CLOCK_SLACK_NS (NS_PER_SECOND / 2)

/* Timers that double need as long for COPIES_HELD repetitions. */
#define COPIES_TAKE_NS ((1 + 2 + 4) * LEAST_RTO_NS)

/* The capture of the machine that they came to has no packet of anybody from then, and copies of other connections came with them: that
 * machine may have stood still, and got them when it went on. */
static bool may_have_stood_still(const struct conversation *c, const struct surroundings *s, enum side sender)
{
    enum { CONNECTIONS_LEAST = 2 };
    const struct capture_silences *silences = &s->casebook->points[c->point].silences;
    const struct server_record *server = surroundings_server(s, c);
    enum capture_role role = surroundings_role(s, c);
    int64_t came_ns = c->sides[sender].copied_at_once.time_ns;
    bool of_several =
        times_within(&server->held, came_ns - HELD_TOGETHER_NS, came_ns + HELD_TOGETHER_NS) >= CONNECTIONS_LEAST;
    return of_several && role != capture_role_at(sender) &&
           capture_silences_longest_ns(silences, came_ns - HELD_TOGETHER_NS - COPIES_TAKE_NS, came_ns) >=
               COPIES_TAKE_NS;
}

static bool judge_copies(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    enum side side =
        c->sides[SIDE_SERVER].copies_at_once > c->sides[SIDE_CLIENT].copies_at_once ? SIDE_SERVER : SIDE_CLIENT;
    const struct tcp_side *self = &c->sides[side];
    if (self->copies_at_once < COPIES_HELD)
        return false;
    const char *name = side_name(side);
    judgement->confidence = signs_of_missed_packets(c) ? 0.65 : 0.85;
    judgement->would_settle = settle_by_both_captures;
    judgement_prove(judgement, &self->copied_at_once, "the last of %u repetitions of one packet of the %s, all at once",
                    self->copies_at_once, name);
    judgement_say(
        judgement,
        "%u repetitions of one packet of the %s arrive at the same time. A sender waits longer before each, a second "
        "and more for so many: they were held up on the way, and let go together.",
        self->copies_at_once, name);
    if (may_have_stood_still(c, s, side)) {
        judgement_say_more(judgement, "Or this machine stood still until then (asleep, or a paused virtual machine): "
                                      "the capture has nothing of anybody from that time.");
        judgement_leave_open(judgement, 0.5);
    }
    return true;
}

/* Needless repetitions and a long time to the acknowledgement: of one packet, or of several, that each cost so much. */
static bool is_late(const struct tcp_side *self, int64_t held_up_ns)
{
    return (self->spurious_retransmits >= NEEDLESS_LEAST && self->longest_recovery_ns >= held_up_ns) ||
           (self->spurious_retransmits >= LATE_OFTEN && self->longest_repeated_wait_ns >= held_up_ns / 2);
}

/* Resets of the side that had given up answer the other's repetitions, in their own rhythm: they arrived after all, so much later. A
 * capture that lacks later repetitions shows the same, but their rhythm is slower than that of all before (RFC 6298, 5.5). */
static bool judge_late_answers(const struct conversation *c, int64_t held_up_ns, struct judgement *judgement)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &c->sides[side], *other = &c->sides[side_other(side)];
        int64_t sent_ns = other->data_run.last.time_ns - other->last_data.time_ns;
        int64_t answered_ns = self->last.time_ns - self->late_answer.time_ns;
        int64_t late_ns = self->late_answer.time_ns - other->last.time_ns; /* at least */
        if (self->late_answers < NEEDLESS_LEAST || late_ns < held_up_ns || other->data_run.count == 0 ||
            self->reset.time_ns < other->data_run.last.time_ns || moment_seen(&self->alive_after_reset) ||
            answered_ns < HELD_TOGETHER_NS || answered_ns > sent_ns + HELD_TOGETHER_NS)
            continue;
        const char *name = side_name(side), *peer = side_name(side_other(side));
        judgement->confidence = signs_of_missed_packets(c) ? 0.6 : 0.78;
        judgement->would_settle = settle_by_both_captures;
        judgement_prove(judgement, &other->last_data, "data of the %s that nobody acknowledges", peer);
        judgement_prove(judgement, &other->data_run.last, "its last repetition");
        judgement_prove(judgement, &self->reset, "the %s gives up with a reset", name);
        judgement_prove(judgement, &self->late_answer,
                        "now it answers the first of the %s's packets, with another reset", peer);
        judgement_prove(judgement, &self->last, "and the last");
        judgement_say(judgement,
                      "The %s gave up, and %.1f s or more after the %s had sent its last packet the %s answered %s, "
                      "each with a reset: they were not lost, but held up.",
                      name, seconds(late_ns), peer, name, count_words(self->late_answers, "packet").text);
        return true;
    }
    return false;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    int64_t held_up_ns = s->thresholds->delay_ns;
    if (!conversation_established(c) || !signs_of_sql(c, s) || signs_of_one_direction(c))
        return false;
    if (signs_of_holding(c, s, SIDE_CLIENT) || signs_of_holding(c, s, SIDE_SERVER))
        return false; /* it had come, and was not passed on inside this machine */
    if (judge_late_answers(c, held_up_ns, judgement))
        return true;
    if (signs_of_silence(c).held)
        return false;
    if (judge_copies(c, s, judgement))
        return true;
    enum side side = SIDE_CLIENT;
    if (is_late(&c->sides[SIDE_SERVER], held_up_ns) &&
        (!is_late(&c->sides[SIDE_CLIENT], held_up_ns) ||
         c->sides[SIDE_SERVER].longest_repeated_wait_ns > c->sides[SIDE_CLIENT].longest_repeated_wait_ns))
        side = SIDE_SERVER;
    const struct tcp_side *self = &c->sides[side];
    if (!is_late(self, held_up_ns))
        return false;
    judgement->confidence = signs_of_missed_packets(c) ? 0.6 : 0.78;
    judgement->would_settle = settle_by_both_captures;
    const char *name = side_name(side), *peer = side_name(side_other(side));
    judgement_prove(judgement, &self->first_retransmit, "the %s repeats a packet", name);
    judgement_prove(judgement, &self->last_retransmit, "its last repetition");
    judgement_prove(judgement, &self->last_progress, "an acknowledgement of the %s arrives", peer);
    judgement_say(judgement,
                  "The %s repeated itself, %.1f s passed until it was acknowledged, and the %s then reported %u of the "
                  "repetitions as needless: nothing was lost, but packets were held up.",
                  name, seconds(self->longest_repeated_wait_ns), peer, self->spurious_retransmits);
    if (standstill_repeats(c, side) == self->retransmits && standstill_may_be(c, s, side))
        standstill_leave_open(side, judgement);
    return true;
}

/* A clock that was set while the captures ran makes one direction late and the other too fast. */
static bool clock_was_set(const struct pair_view *view)
{
    int64_t slack_ns = 2 * view->pair->clock.uncertainty_ns + CLOCK_SLACK_NS;
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    return out->shortest_ns < -slack_ns || back->shortest_ns < -slack_ns;
}

static int64_t lateness_ns(const struct passage *passage)
{
    return passage->timed > 0 ? passage->longest_ns - passage->shortest_ns : 0;
}

/* Nothing lives for longer on the way: the maximum segment lifetime (RFC 9293, 3.4.2). */
#define LIFETIME_NS (120 * NS_PER_SECOND)

static bool follows(const struct casebook *casebook, const struct moment *before, const struct moment *after)
{
    return moment_seen(before) && moment_seen(after) && casebook_in_order(casebook, before, after);
}

/* What lies on the other side of a clock's setting than most is late one way and too fast the other way. Where no packet of any connection went
 * the other way afterwards, and none was in time again, or none before, it is not to be told from a delay. */
static bool may_be_clock(const struct pair_view *view, const struct casebook *casebook, enum side sender)
{
    const struct passage *late = &view->compared->passages[sender];
    const struct point_pair *pair = view->pair;
    enum side other = side_other(sender);
    bool after = follows(casebook, &late->longest_arrival, &pair->last_arrival_sent[other]) ||
                 follows(casebook, &late->longest_sent, &pair->last_in_time_sent[sender]),
         before = follows(casebook, &pair->first_arrival[other], &late->longest_sent) ||
                  follows(casebook, &pair->first_in_time_sent[sender], &late->longest_sent);
    return !after || !before;
}

static void doubt_clock(struct judgement *judgement, bool too_long)
{
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = "Captures that begin before, and go on until packets went the other way, too: they would "
                              "be too fast if a clock was set.";
    judgement_say_more(judgement, too_long ? "Or a clock was set: no packet lives so long on the way."
                                           : "Or a clock was set: before it, or after it, nothing went the other way, "
                                             "and nothing was in time.");
}

/* The capture of the sender missed packets, of this connection or of others, and perhaps the repetition that arrived: one may have come
 * once more than it has it. Or the clocks were compared by packets of which a capture had missed one. */
static bool may_be_missed(const struct pair_view *view, const struct surroundings *s, enum side sender)
{
    const struct passage *passage = &view->compared->passages[sender];
    const struct conversation *own = pair_view_at(view, sender);
    bool misses =
        pair_view_capture_misses(view, sender) || passage->duplicated > 0 || s->casebook->points[own->point].missed > 0;
    return (!passage->longest_identified && misses) || (view->pair->clock.unsteady && pair_view_misses_packets(view));
}

/* While it was under way a capture stood still, or its clock was set: then it was as late as that. */
static bool spans_standstill(const struct pair_view *view, const struct surroundings *s, enum side sender)
{
    const struct passage *late = &view->compared->passages[sender];
    const struct conversation *from = pair_view_at(view, sender), *to = pair_view_at(view, side_other(sender));
    int64_t sent_ns = late->longest_sent.time_ns, came_ns = late->longest_arrival.time_ns;
    return capture_silences_stood_still(&s->casebook->points[from->point].silences, sent_ns,
                                        sent_ns + late->longest_ns) ||
           capture_silences_stood_still(&s->casebook->points[to->point].silences, came_ns - late->longest_ns, came_ns);
}

static void doubt_captures(struct judgement *judgement)
{
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = settle_by_complete_captures;
    judgement_say_more(judgement, "Or the captures missed the packets that these are taken for: they missed others, or "
                                  "have nothing of anybody for most of that time.");
}

/* Its answer is all that the server sent on a connection whose client had gone by then: what the way takes at most, other handshakes tell, which go
 * there and back. */
static bool judge_answer_late(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &view->client->sides[SIDE_CLIENT], *server = &view->client->sides[SIDE_SERVER];
    const struct passage *back = &view->compared->passages[SIDE_SERVER];
    int64_t usual_ns = surroundings_server(s, view->client)->shortest_handshake_ns,
            uncertain_ns = 2 * view->pair->clock.uncertainty_ns + surroundings_tick_ns(s, view->pair->near) +
                           surroundings_tick_ns(s, view->pair->far);
    if (conversation_established(view->client) || client->syn_retransmits > 0 || !moment_seen(&client->reset) ||
        !moment_seen(&server->syn) || client->reset.time_ns < server->syn.time_ns || usual_ns == 0 ||
        back->timed == 0 || back->longest_ns - usual_ns - uncertain_ns < s->thresholds->delay_ns)
        return false;
    judgement->confidence = 0.9;
    judgement_prove(judgement, &view->server->sides[SIDE_SERVER].syn, "the server accepts the connection (SYN+ACK)");
    judgement_prove(judgement, &server->syn, "that reaches the client, %.2f s later", seconds(back->longest_ns));
    judgement_prove(judgement, &client->reset, "the client, which had given up, resets it");
    judgement_say(judgement,
                  "The server's answer to the SYN was %.2f s on its way, and other connections to it are made within "
                  "%.4f s: something held it up, and the client had given up by then.",
                  seconds(back->longest_ns), seconds(usual_ns));
    if (may_be_missed(view, s, SIDE_SERVER) || spans_standstill(view, s, SIDE_SERVER))
        doubt_captures(judgement);
    else if (may_be_clock(view, s->casebook, SIDE_SERVER))
        doubt_clock(judgement, false);
    return true;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (!view->compared || clock_was_set(view))
        return false;
    if (judge_answer_late(view, s, judgement))
        return true;
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    enum side sender = lateness_ns(out) >= lateness_ns(back) ? SIDE_CLIENT : SIDE_SERVER;
    const struct passage *late = &view->compared->passages[sender];
    int64_t enough_ns = late->late < LATE_OFTEN ? s->thresholds->delay_ns : s->thresholds->delay_ns / 2;
    /* What a clock was set by looks like lateness. */
    if (view->pair->clock.unsteady)
        enough_ns += 2 * view->pair->clock.uncertainty_ns;
    enough_ns += surroundings_tick_ns(s, view->pair->near) + surroundings_tick_ns(s, view->pair->far);
    if (lateness_ns(late) < enough_ns)
        return false;
    const char *name = side_name(sender), *peer = side_name(side_other(sender));
    uint32_t count = late->late > 0 ? late->late : 1; /* the longest one, at least */
    judgement->confidence = 0.95;
    judgement_prove(judgement, &late->longest_sent, "a packet leaves the %s", name);
    judgement_prove(judgement, &late->longest_arrival, "it reaches the %s, %.2f s later", peer,
                    seconds(late->longest_ns));
    judgement_say(judgement,
                  "%s of the %s arrived late%s took %.2f s; the fastest took %.4f s. Something on the way held %s up.",
                  count_words(count, "packet").text, name, count == 1 ? ": it" : ", one", seconds(late->longest_ns),
                  seconds(late->shortest_ns > 0 ? late->shortest_ns : 0), count == 1 ? "it" : "them");
    if (may_be_missed(view, s, sender) || spans_standstill(view, s, sender))
        doubt_captures(judgement);
    else if (lateness_ns(late) > LIFETIME_NS || may_be_clock(view, s->casebook, sender))
        doubt_clock(judgement, lateness_ns(late) > LIFETIME_NS);
    else
        standstill_doubt_delay(view, s, sender, judgement);
    return true;
}

static const char *const actions[] = {
    action_trace_both,
    "Look for what queues packets: VPN tunnels, traffic shaping, overloaded links, WAN optimisers; `pathping SERVER`, "
    "`mtr SERVER`.",
    "Look in the virtual machine host's log for snapshots, backups and moves at that time: a machine that stands still "
    "holds packets up, too.",
    NULL,
};

const struct detector network_delay = {
    .cause = "network.delay",
    .title = "Packets arrive far too late",
    .holds_when = "A packet is acknowledged only after a second or more and several repetitions, and the receiver "
                  "reports at least two of the repetitions as duplicates (DSACK): all copies arrived, late. Or half a "
                  "second and three of them. Or three repetitions of one packet arrive within a tenth of a second. Or "
                  "one side repeats its data, the other gives up with a reset, and a second or more after the last "
                  "repetition answers them with resets that have no ACK, in the same rhythm. The culprit stays open "
                  "where copies of several connections come together and the receiver's own capture has nothing of "
                  "anybody before, and where several repeat themselves while nothing comes from the other machine: a "
                  "machine that stood still looks the same. (--delay sets the second, and with it the half.)",
    .holds_with_both =
        "A packet was a second or more longer on the way than the fastest one; or three or more were 300 ms longer and "
        "one of them half a second. Or the server's only packet is an answer to the SYN that was on its way for a "
        "second "
        "longer than others' handshakes take, and its client, gone by then, resets it. Where the captures' stamps are "
        "coarse (whole seconds, ticks of 15.6 ms), each of "
        "these times is longer by one step of either capture; and a copy that the sender's capture made tells no time. "
        "Not when a clock was set meanwhile, which makes one direction late and the other too fast. The culprit stays "
        "open when before it or after it nothing went the other way and nothing was in time, when it took longer than "
        "packets live (120 s), and when a capture stood still meanwhile or its clock was set, as TCP's timers or "
        "timestamps tell. It stays open, too, where neither IP ID nor timestamp tells a repetition from the packet, "
        "and the sender's capture missed packets of this or another connection, or one arrived once more than it has "
        "it; and where the clocks' difference is unsteady and a capture missed packets of the connection; and where "
        "the receiver's capture has nothing of anybody until packets of several connections come: that machine may "
        "have stood still. (--delay sets the second, and with it the half.)",
    .means = "A sender's timer follows the round trip of the path; when an acknowledgement comes seconds later than "
             "that and the copies all arrived, something on the way held them in a queue. Each side then sees the "
             "other as slow, and time-outs expire on sound connections. Both captures together show in which "
             "direction. (RFC 2883; article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .comparing_suffices = true,
    .passes = true,
    .judge = judge,
    .judge_pair = judge_pair,
};
