/* Rules that are the same for client and server, told with the right names. */
#include "one_sided.h"

#include "count_words.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"
#include "ttl_signs.h"

void one_sided_need_place(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (s->casebook->points[c->point].role_given)
        return;
    judgement->culprit = CULPRIT_UNKNOWN;
    judgement->confidence = judgement->confidence < 0.6 ? judgement->confidence : 0.6;
    judgement->would_settle = settle_by_place;
    judgement_say_more(judgement, "That holds if the capture was taken on that machine, as it looks.");
}

/* It resets again and again meanwhile: each of these answers a packet that it got (RFC 9293, 3.5.2), whichever was recorded first. */
static bool resets_what_arrives(const struct tcp_side *here, const struct silence *silence)
{
    enum { RESETS_LEAST = 2 };
    return here->resets >= RESETS_LEAST && here->last.time_ns > silence->first.time_ns;
}

/* What it repeats in vain it repeats after twice as long each time (RFC 6298, 5.5). If that was due, and much more, it does not repeat it any
 * more: its connection is gone. */
static bool stopped_repeating(const struct tcp_side *here, int64_t until_ns)
{
    const struct retry_run *run = &here->data_run;
    int64_t first_wait_ns = run->first.time_ns - here->last_data.time_ns,
            next_wait_ns = run->last.time_ns - run->first.time_ns + 2 * first_wait_ns;
    return run->count > 0 && here->unacknowledged_bytes > 0 && first_wait_ns > 0 &&
           until_ns - run->last.time_ns > 2 * next_wait_ns;
}

/* The last it said was still the same as this long before, or it repeated that until then: it waited for an answer, as long as people and
 * programs do. */
static bool waited_in_vain(const struct tcp_side *here, const struct surroundings *s)
{
    bool repeats_last =
             here->last.frame == here->last_retransmit.frame && here->last.capture == here->last_retransmit.capture,
         repeats = here->data_run.count > 0 && here->unacknowledged_bytes > 0;
    return (repeats_last || repeats) && here->last.time_ns - here->last_data.time_ns >= s->thresholds->slow_login_ns;
}

/* It may have closed the connection, and answer each packet with a reset that this capture does not have: some record what a machine sends
 * before its filters, others what the card gets. */
static bool may_be_gone(const struct conversation *c, const struct surroundings *s, enum side side,
                        const struct silence *silence)
{
    const struct tcp_side *here = &c->sides[side];
    return silence->kind == SILENCE_TOTAL &&
           (stopped_repeating(here, silence->last.time_ns) || waited_in_vain(here, s));
}

/* The client ends the handshake with an acknowledgement, and acknowledges what it gets. A capture that has none leaves such packets out; and
 * of one that has none of this machine at all nobody knows. */
static bool lacks_acknowledgements(const struct conversation *c, const struct surroundings *s, enum side here)
{
    return (c->starts_with_syn && conversation_established(c) && c->sides[SIDE_CLIENT].bare == 0) ||
           surroundings_lacks_acknowledgements(s, c->point, here);
}

/* Linux gives data up after 15 repetitions and says nothing (tcp(7), tcp_retries2). */
enum { GIVEN_UP_SILENTLY = 15 };

/* Who repeats in vain does so again after twice as long (RFC 6298, 5.5), and who probes as evenly as before. Windows, and Linux after its probes,
 * end it with a reset. Neither followed, though the capture went on: it lacks a reset, of one side or the other. */
static bool lacks_reset(const struct conversation *c, const struct surroundings *s, const struct silence *silence)
{
    const struct tcp_side *retrier = &c->sides[silence->retrier];
    int64_t repeats_ns = silence->last.time_ns - silence->first.time_ns,
            first_wait_ns = silence->first.time_ns - retrier->last_data.time_ns,
            next_wait_ns = silence->keep_alives ? repeats_ns / (silence->retries - 1) : repeats_ns + 2 * first_wait_ns;
    return silence->kind == SILENCE_TOTAL && retrier->resets + c->sides[side_other(silence->retrier)].resets == 0 &&
           !c->let_go && silence->retries < GIVEN_UP_SILENTLY && first_wait_ns > 0 &&
           surroundings_watched_after_ns(s, c) > 2 * next_wait_ns;
}

/* A capture that misses packets of this machine in other connections may miss some answers in a row, too. In one that holds thousands of
 * connections, that counts which happens by chance more often than once in ten thousand times. */
static bool may_miss_answers(const struct conversation *c, const struct surroundings *s, enum side here,
                             const struct silence *silence)
{
    const struct point_lacks *lacks = &s->lacks[c->point];
    double missed = (double)lacks->unseen[here], share = missed / (missed + (double)lacks->data[here] + 1), chance = 1;
    for (uint32_t i = 0; i < silence->retries && chance > 0.0001; i++)
        chance *= share;
    return chance > 0.0001;
}

static void leave_presence_open(struct judgement *judgement, const char *because)
{
    judgement_leave_open(judgement, 0.5);
    if (!judgement->would_settle)
        judgement->would_settle = settle_by_complete_capture;
    judgement_say_more(judgement, because);
}

static void doubt_that_it_is_there(const struct surroundings *s, const struct conversation *c, enum side here,
                                   const struct silence *silence, struct judgement *judgement)
{
    if (lacks_reset(c, s, silence))
        leave_presence_open(judgement, "Or that machine had closed the connection: the repetitions end without a "
                                       "reset, which was due, so that this capture may leave out resets.");
    if (may_miss_answers(c, s, here, silence))
        leave_presence_open(judgement, "Or this capture missed the answers, as it missed other packets.");
    if (!may_be_gone(c, s, here, silence))
        return;
    leave_presence_open(judgement,
                        "Or that machine had given the connection up before, for it no longer repeats what was not "
                        "acknowledged, or had waited long for an answer: then this capture lacks its reset.");
}

static const char may_be_damaged[] = "Or these packets came damaged, for which TCP drops them: they were captured in "
                                     "part, and their checksums cannot be looked at.";

/* Of what the other side repeats no copy was captured whole; or of its acknowledgements, which this one does not hear, none. Probes always are. */
static bool is_unchecked(const struct conversation *c, enum side here, const struct silence *silence)
{
    if (silence->keep_alives)
        return false;
    return silence->retrier == here ? !c->sides[here].run_heard_whole : c->sides[silence->retrier].run_unchecked;
}

/* It is larger than all that the machine acknowledged of the other one's, in any connection. */
static bool is_largest(const struct conversation *c, const struct surroundings *s, enum side sender)
{
    return c->sides[sender].larger_unacknowledged > surroundings_pair(s, c)->largest_passed[sender];
}

/* What it sent meanwhile was acknowledged, and it did not repeat that, as it would have after a first time-out at most: other packets
 * get through to its TCP. */
static bool hears_others(const struct conversation *c, enum side here, const struct silence *silence)
{
    const struct tcp_side *self = &c->sides[here];
    const struct moment *ack = &self->ack_of_last_data;
    return self->last_data.time_ns > silence->first.time_ns && moment_seen(ack) &&
           ack->time_ns >= self->last_data.time_ns && self->last_retransmit.time_ns < self->last_data.time_ns &&
           c->last.time_ns - ack->time_ns >= FIRST_RTO_NS;
}

static void leave_soundness_open(struct judgement *judgement)
{
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = settle_by_whole_packets;
    judgement_say_more(judgement, may_be_damaged);
}

/* TCP throws a damaged packet away without a word (RFC 9293, 3.1), and of one that was captured in part nobody knows whether it is. That each
 * copy of one packet is damaged, and nothing else, is seldom: it is left open where others of that machine came damaged, where none of that
 * size was acknowledged, for whatever damages packets may do so with large ones, or where others get through meanwhile. */
static void doubt_that_it_is_sound(const struct conversation *c, const struct surroundings *s, enum side here,
                                   const struct silence *silence, struct judgement *judgement)
{
    static const double at_most = 0.8;
    enum side there = side_other(here);
    if (signs_of_damage_between(c, s, there) || is_largest(c, s, there) || hears_others(c, here, silence)) {
        leave_soundness_open(judgement);
        return;
    }
    if (judgement->confidence > at_most)
        judgement->confidence = at_most;
    judgement->would_settle = settle_by_whole_packets;
    judgement_say_more(judgement, may_be_damaged);
}

/* Packets of the other side arrive here, by this machine's own capture, and its TCP behaves as if they did not. */
static bool swallows(const struct conversation *c, const struct surroundings *s, enum side here,
                     struct silence *silence)
{
    *silence = signs_of_silence(c);
    bool unanswered =
        silence->kind == SILENCE_TOTAL && silence->retrier != here && !resets_what_arrives(&c->sides[here], silence);
    bool deaf = silence->held && silence->kind != SILENCE_TOTAL && silence->lost_from != here;
    return (unanswered || deaf) && !lacks_acknowledgements(c, s, here) &&
           surroundings_role(s, c) == capture_role_at(here) && !signs_of_one_direction(c) && signs_of_sql(c, s) &&
           !signs_of_damage(c, s, side_other(here));
}

static void tell_swallowed(const struct conversation *c, const struct silence *silence, enum side here,
                           struct judgement *judgement)
{
    enum side there = side_other(here);
    bool unanswered = silence->kind == SILENCE_TOTAL;
    judgement_prove(judgement, &silence->first, "the %s repeats a packet", side_name(silence->retrier));
    judgement_prove(judgement, &c->sides[there].last, "the last packet that arrives from the %s", side_name(there));
    judgement_prove(judgement, &silence->last, "the last of %u repetitions", silence->retries);
    judgement_prove(judgement, &c->sides[silence->retrier].reset, "the %s gives up with a reset",
                    side_name(silence->retrier));
    double span_s = seconds(silence->last.time_ns - silence->first.time_ns);
    if (unanswered)
        judgement_say(
            judgement,
            "The %s's packet arrives at the %s machine %s more over %.1f s, and no acknowledgement leaves it: "
            "something between its network card and its TCP drops what arrives.",
            side_name(there), side_name(here), count_words(silence->retries, "time").text, span_s);
    else
        judgement_say(
            judgement,
            "The %s's packets arrive at the %s machine, but its TCP does not get them: over %.1f s it repeats %s what "
            "they acknowledge. Something between its network card and its TCP drops what arrives.",
            side_name(there), side_name(here), span_s, count_words(silence->retries, "time").text);
}

/* It got through to the machine at once, and to its TCP only later. */
static bool holds(const struct conversation *c, const struct surroundings *s, enum side here, double confidence,
                  struct judgement *judgement)
{
    if (!signs_of_holding(c, s, here) || !signs_of_sql(c, s) || lacks_acknowledgements(c, s, here))
        return false;
    const struct tcp_side *arriving = &c->sides[side_other(here)];
    judgement->confidence = confidence;
    judgement_prove(judgement, &arriving->first_retransmit, "the %s repeats a packet that had arrived",
                    side_name(side_other(here)));
    judgement_prove(judgement, &arriving->last_retransmit, "its last repetition");
    judgement_prove(judgement, &arriving->last_progress, "an acknowledgement leaves");
    judgement_say(judgement,
                  "A packet of the %s arrived at the %s machine, and %s more of it, before it was acknowledged there, "
                  "%.1f s after the first: something between its network card and its TCP held it so long.",
                  side_name(side_other(here)), side_name(here), count_words(arriving->held_copies, "copy").text,
                  seconds(arriving->longest_repeated_wait_ns));
    if (arriving->held_unchecked)
        leave_soundness_open(judgement);
    return true;
}

/* Who resets has no connection any more (RFC 9293, 3.5.2), and its TCP goes on with this one. Not so before it is made: until then TCP resets what
 * does not acknowledge its SYN, and goes on (3.10.7.3, 3.10.7.4). Who sends data has made it, and so has a client whose SYN is acknowledged - one
 * that its TCP sent: scanners make SYNs of their own and repeat them, too, but offer next to nothing, and every TCP offers SACK (RFC 2018). */
static bool refuses_without_tcp(const struct conversation *c, const struct surroundings *s, enum side here)
{
    const struct tcp_side *own = &c->sides[here], *server = &c->sides[SIDE_SERVER];
    bool closes_before = moment_seen(&own->fin) && own->fin.time_ns <= own->disowned_reset.time_ns,
         accepted = here == SIDE_CLIENT && moment_seen(&server->syn) && own->sack_permitted &&
                    own->last_progress.frame == server->syn.frame;
    return own->disowned_reset.frame == own->reset.frame && moment_seen(&own->alive_after_reset) && !closes_before &&
           (own->payload_bytes > 0 || accepted) && surroundings_role(s, c) == capture_role_at(here) &&
           !signs_of_foreign_reset(own) && !signs_of_one_direction(c) && signs_of_sql(c, s);
}

static bool refuses(const struct conversation *c, const struct surroundings *s, enum side here, double confidence,
                    struct judgement *judgement)
{
    if (!refuses_without_tcp(c, s, here))
        return false;
    const struct tcp_side *own = &c->sides[here];
    const char *name = side_name(here);
    judgement->confidence = confidence;
    judgement_prove(judgement, &own->disowned_reset, "a reset leaves the %s machine", name);
    judgement_prove(judgement, &own->alive_after_reset, "the %s's TCP goes on with the connection", name);
    judgement_say(judgement,
                  "A reset leaves the %s machine, and %s later its TCP still uses the connection: something between "
                  "its network card and its TCP refuses what arrives, and keeps it from TCP.",
                  name, seconds_words(own->alive_after_reset.time_ns - own->disowned_reset.time_ns).text);
    one_sided_need_place(c, s, judgement);
    return true;
}

bool one_sided_no_ack(const struct conversation *c, const struct surroundings *s, enum side here,
                      struct judgement *judgement)
{
    struct silence silence;
    if (refuses(c, s, here, 0.87, judgement))
        return true;
    if (!swallows(c, s, here, &silence))
        return holds(c, s, here, 0.8, judgement);
    judgement->confidence = 0.87;
    judgement->would_settle = settle_by_capture_at(side_other(here));
    tell_swallowed(c, &silence, here, judgement);
    if (is_unchecked(c, here, &silence))
        doubt_that_it_is_sound(c, s, here, &silence, judgement);
    doubt_that_it_is_there(s, c, here, &silence, judgement);
    one_sided_need_place(c, s, judgement);
    return true;
}

bool one_sided_no_ack_by_both(const struct pair_view *view, const struct surroundings *s, enum side here,
                              struct judgement *judgement)
{
    const struct conversation *own = pair_view_at(view, here);
    struct silence silence;
    if (own && view->compared && refuses(own, s, here, 0.95, judgement))
        return true;
    if (!own || !pair_view_gets_through(view, side_other(here)))
        return false;
    if (moment_seen(&view->compared->passages[here].injected_reset))
        return false; /* an answer came, whoever made it */
    if (!swallows(own, s, here, &silence))
        return holds(own, s, here, 0.93, judgement);
    judgement->confidence = 0.96;
    tell_swallowed(own, &silence, here, judgement);
    judgement_say_more(judgement, "The other end's capture shows the same packets leave, and no answer come.");
    if (is_unchecked(own, here, &silence))
        doubt_that_it_is_sound(own, s, here, &silence, judgement);
    doubt_that_it_is_there(s, own, here, &silence, judgement);
    one_sided_need_place(own, s, judgement);
    return true;
}

bool one_sided_drop(const struct conversation *c, const struct surroundings *s, enum side here,
                    struct judgement *judgement)
{
    enum side there = side_other(here);
    struct silence silence = signs_of_silence(c);
    if (!silence.held || silence.kind == SILENCE_TOTAL || silence.lost_from != here)
        return false;
    if (surroundings_role(s, c) != capture_role_at(here) || signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    bool deaf = silence.kind == SILENCE_DEAF;
    /* A filter driver of the other machine is as common as a fault of the network. */
    judgement->culprit = CULPRIT_UNKNOWN;
    judgement->confidence = signs_of_missed_packets(c) ? 0.55 : 0.75;
    judgement->would_settle = settle_by_capture_at(there);
    judgement_prove(judgement, &silence.first, "the %s %s%s", side_name(deaf ? there : here),
                    silence.keep_alives ? "probes the connection" : "repeats a packet",
                    deaf ? ", although it was acknowledged" : "");
    judgement_prove(judgement, &silence.last, "the last of %u repetitions", silence.retries);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        judgement_prove(judgement, &c->sides[side].reset, "the %s resets the connection", side_name(side));
    double span_s = seconds(silence.last.time_ns - silence.first.time_ns);
    if (deaf)
        judgement_say(judgement,
                      "The %s's packets arrive here and are acknowledged at once, and it repeats them all the same, %s "
                      "over %.1f s: what the %s sends does not reach it.",
                      side_name(there), count_words(silence.retries, "time").text, span_s, side_name(here));
    else if (silence.keep_alives)
        judgement_say(judgement,
                      "The %s probes the connection %s over %.1f s and gets no answer; meanwhile the %s's own packets "
                      "arrive: what the %s sends does not reach the %s.",
                      side_name(here), count_words(silence.retries, "time").text, span_s, side_name(there),
                      side_name(here), side_name(there));
    else
        judgement_say(judgement,
                      "The %s repeats a packet %s over %.1f s; meanwhile packets of the %s arrive and never "
                      "acknowledge it: what the %s sends does not reach the %s.",
                      side_name(here), count_words(silence.retries, "time").text, span_s, side_name(there),
                      side_name(here), side_name(there));
    return true;
}

/* Who aborts acknowledges nothing, and nobody acknowledges it any more: what lies before its reset may have been missed, and a device may
 * have drawn the number. */
static bool lacks_before_reset(const struct conversation *c, const struct surroundings *s, enum side here,
                               struct judgement *judgement)
{
    enum side there = side_other(here);
    const struct tcp_side *sender = &c->sides[there];
    if (!moment_seen(&sender->reset) || !sender->reset_beyond || moment_seen(&sender->ahead) ||
        surroundings_role(s, c) != capture_role_at(here) || signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = settle_by_capture_at(there);
    judgement_prove(judgement, &sender->last_data, "the last data that arrives from the %s", side_name(there));
    judgement_prove(judgement, &sender->reset, "a reset of the %s stands beyond it", side_name(there));
    judgement_say(judgement,
                  "By the sequence number of its reset the %s had sent more than arrived at the %s machine: that was "
                  "lost on the way, or the capture missed it, or a device made the reset.",
                  side_name(there), side_name(here));
    return true;
}

/* Nobody repeats what is lacking once either side has reset, and who has reset acknowledges nothing. */
static bool was_reset_by(const struct conversation *c, int64_t time_ns)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (moment_seen(&c->sides[side].reset) && c->sides[side].reset.time_ns < time_ns)
            return true;
    return false;
}

/* The receiver has not been heard since, or the number is none that it would have taken. */
static void leave_ahead_open(const struct tcp_side *sender, enum side here, struct judgement *judgement)
{
    const char *there = side_name(side_other(here));
    judgement_leave_open(judgement, 0.5);
    judgement_prove(judgement, &sender->ahead, "a packet of the %s stands %s beyond it", there,
                    count_words(sender->ahead_bytes, "byte").text);
    judgement_say(judgement,
                  "By the sequence number of a packet that came the %s had sent %s more than the %s machine's capture "
                  "has: that was lost on the way, or the capture missed it and what the %s answered.",
                  there, count_words(sender->ahead_bytes, "byte").text, side_name(here), side_name(here));
}

bool one_sided_never_arrives(const struct conversation *c, const struct surroundings *s, enum side here,
                             struct judgement *judgement)
{
    enum side there = side_other(here);
    const struct tcp_side *sender = &c->sides[there];
    if (lacks_before_reset(c, s, here, judgement))
        return true;
    bool ahead = moment_seen(&sender->ahead);
    const struct moment *since = ahead ? &sender->ahead : &sender->hole;
    uint32_t bytes = ahead ? sender->ahead_bytes : sender->hole_bytes;
    if (bytes == 0 || !moment_seen(since) || surroundings_role(s, c) != capture_role_at(here) ||
        signs_of_one_direction(c) || !signs_of_sql(c, s) || surroundings_end_ns(s, c) - since->time_ns < FIRST_RTO_NS)
        return false;
    if (sender->data_run.count > 0 && sender->data_run.last.time_ns > since->time_ns)
        return false; /* it came later, and still is not acknowledged: the receiver does not hear */
    if (was_reset_by(c, since->time_ns + FIRST_RTO_NS))
        return false;
    judgement->rests_on_absence = true;
    judgement->would_settle = settle_by_capture_at(there);
    judgement_prove(judgement, &sender->last_data, "the last data that arrives from the %s", side_name(there));
    if (ahead && !signs_of_lacking(c, there)) {
        leave_ahead_open(sender, here, judgement);
        return true;
    }
    judgement->confidence = 0.8;
    if (ahead)
        judgement_prove(judgement, since, "a packet of the %s stands %s beyond it", side_name(there),
                        count_words(bytes, "byte").text);
    else
        judgement_prove(judgement, since, "the %s has a later packet, and lacks %s before it (SACK)", side_name(here),
                        count_words(bytes, "byte").text);
    judgement_prove(judgement, &c->sides[here].last, "the last packet of the %s: it acknowledges none of them",
                    side_name(here));
    judgement_say(judgement,
                  "Of what the %s had sent before a packet that came, %s never reached the %s machine, which did not "
                  "acknowledge them: they were lost on the way.",
                  side_name(there), count_words(bytes, "byte").text, side_name(here));
    return true;
}

bool one_sided_loss(const struct pair_view *view, const struct surroundings *s, enum side sender,
                    struct judgement *judgement)
{
    enum side receiver = side_other(sender);
    if (pair_view_drop(view) != (sender == SIDE_CLIENT ? PAIR_DROP_TO_SERVER : PAIR_DROP_TO_CLIENT))
        return false;
    const struct passage *passage = &view->compared->passages[sender], *back = &view->compared->passages[receiver];
    bool works = moment_seen(&back->last_arrival) && back->lost_at_end == 0;
    judgement->confidence = pair_view_confidence(view);
    judgement_prove(judgement, &passage->last_arrival_sent, "the last packet of the %s that arrives leaves",
                    side_name(sender));
    judgement_prove(judgement, &passage->last_arrival, "it reaches the %s", side_name(receiver));
    judgement_prove(judgement, &passage->lost_at_end_first, "the first of %u packets that the %s does not get",
                    passage->lost_at_end, side_name(receiver));
    judgement_prove(judgement, &passage->last_lost, "the last of them leaves");
    if (works)
        judgement_prove(judgement, &back->last_arrival, "a packet of the %s reaches the %s", side_name(receiver),
                        side_name(sender));
    judgement_say(judgement, "%s in a row that left the %s %s not in the %s's capture, which went on: lost on the way.",
                  count_words(passage->lost_at_end, "packet").text, side_name(sender),
                  passage->lost_at_end == 1 ? "is" : "are", side_name(receiver));
    standstill_doubt(view, s, sender, &passage->lost_at_end_first, &passage->last_lost, judgement);
    if (pair_view_doubts_drop(view, pair_view_drop(view)))
        settling_doubt_capture(judgement);
    return true;
}

bool one_sided_taken(const struct pair_view *view, const struct surroundings *s, enum side sender,
                     struct judgement *judgement)
{
    if (!view->server || !view->compared || !signs_of_sql(view->client, s))
        return false;
    const struct conversation *own = sender == SIDE_CLIENT ? view->client : view->server;
    const struct passage *passage = &view->compared->passages[sender];
    const char *here = side_name(sender), *there = side_name(side_other(sender));
    if (passage->vouched_at_end == 0 || !moment_seen(&passage->acked_less))
        return false;
    judgement->confidence = 0.93;
    judgement_prove(judgement, &passage->vouched_first, "the %s sends a packet that the %s's capture does not have",
                    here, there);
    judgement_prove(judgement, &own->sides[sender].ack_of_last_data, "an acknowledgement with the %s's address", there);
    judgement_prove(judgement, &passage->acked_less, "later the %s itself acknowledges less than that", there);
    judgement_say(judgement,
                  "%s of the %s was acknowledged with the %s's address, and the %s's own capture has neither that nor "
                  "the acknowledgement; what the %s itself acknowledges later is less: a device between the two took "
                  "it in the %s's name, and did not pass it on.",
                  count_words(passage->vouched_at_end, "packet").text, here, there, there, there, there);
    return true;
}
