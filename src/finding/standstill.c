/* Whether the receiver may have stood still while packets seem to have been lost on the way to it. */
#include "standstill.h"

#include <stdio.h>

#include "count_words.h"
#include "settling.h"
#include "signs.h"

/* One connection may be silent for reasons of its own. */
enum { CONNECTIONS_LEAST = 2 };

/* The silence of the receiver's capture that holds all of that time; NULL: there is none. */
static const struct capture_silence *silence_over(const struct pair_view *view, const struct surroundings *s,
                                                  enum side sender, const struct moment *first,
                                                  const struct moment *last)
{
    enum side receiver = side_other(sender);
    int64_t way_ns = view->compared->passages[sender].shortest_ns,
            from_ns = pair_view_time_at(view, receiver, first->time_ns) + way_ns,
            to_ns = pair_view_time_at(view, receiver, last->time_ns) + way_ns;
    const struct capture_silence *silence =
        capture_silences_in(&s->casebook->points[pair_view_at(view, receiver)->point].silences, from_ns, to_ns);
    return silence && silence->from_ns <= from_ns && silence->to_ns >= to_ns ? silence : NULL;
}

static const char *settled_by(bool client)
{
    return client ? "What the client machine's own log tells of that time: sleep, a snapshot, a move to another host."
                  : "What the server machine's own log, and its host's, tell of that time: a snapshot, a move to "
                    "another host, a time that jumps.";
}

void standstill_doubt(const struct pair_view *view, const struct surroundings *surroundings, enum side sender,
                      const struct moment *first, const struct moment *last, struct judgement *judgement)
{
    static const double server_at_most = 0.75;
    if (!view->compared || !view->server || !view->pair || !moment_seen(first) || !moment_seen(last))
        return;
    const struct capture_silence *silence = silence_over(view, surroundings, sender, first, last);
    if (!silence || silence->lacking < CONNECTIONS_LEAST)
        return;
    bool to_client = sender == SIDE_SERVER;
    const char *name = to_client ? "client" : "server";
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more,
             "Meanwhile the %s's capture has no packet of anybody for %.1f s: the way there was dead for all, or that "
             "machine stood still (asleep, or a paused virtual machine).",
             name, seconds(silence->to_ns - silence->from_ns));
    judgement_say_more(judgement, more);
    judgement->would_settle = settled_by(to_client);
    if (to_client) {
        judgement_leave_open(judgement, 0.5);
    } else if (judgement->confidence > server_at_most) {
        judgement->confidence = server_at_most;
    }
}

void standstill_doubt_delay(const struct pair_view *view, const struct surroundings *surroundings, enum side sender,
                            struct judgement *judgement)
{
    const struct passage *late = &view->compared->passages[sender];
    if (!view->server || !view->pair || !moment_seen(&late->longest_sent))
        return;
    const struct capture_silence *silence =
        silence_over(view, surroundings, sender, &late->longest_sent, &late->longest_sent);
    if (!silence || silence->lacking < CONNECTIONS_LEAST ||
        late->longest_arrival.time_ns - silence->to_ns > HELD_TOGETHER_NS)
        return;
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = settled_by(sender == SIDE_SERVER);
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more,
             "Until it came the %s's capture has no packet of anybody for %.1f s: all was held up on the way, or that "
             "machine stood still (asleep, or a paused virtual machine), and got it when it went on.",
             sender == SIDE_SERVER ? "client" : "server", seconds(silence->to_ns - silence->from_ns));
    judgement_say_more(judgement, more);
}

uint32_t standstill_repeats(const struct conversation *conversation, enum side sender)
{
    const struct broken_silence *silence = &conversation->sides[sender].broken_silence;
    return silence->repeated >= RETRIES_OF_A_SILENCE && silence->lasted_ms * NS_PER_MS >= SILENCE_LEAST_NS
               ? silence->repeated
               : 0;
}

bool standstill_may_be(const struct conversation *conversation, const struct surroundings *surroundings,
                       enum side sender)
{
    const struct broken_silence *silence = &conversation->sides[sender].broken_silence;
    if (standstill_repeats(conversation, sender) == 0)
        return false;
    const struct server_record *host = surroundings_host(surroundings, conversation);
    const struct pair_record *pair = surroundings_pair(surroundings, conversation);
    const struct hearing *heard = sender == SIDE_CLIENT ? &host->host_heard : &pair->client_heard;
    const struct times *stretches = sender == SIDE_CLIENT ? &host->host_stretches : &pair->client_stretches;
    int64_t lasted_ns = (int64_t)silence->lasted_ms * NS_PER_MS, until_ns = silence->from_ns + lasted_ns;
    /* On one connection alone packets are lost sooner than a machine stands still. But copies that pass a capture elsewhere than at the server were
     * not lost as far as that. */
    bool copies_pass = sender == SIDE_SERVER && surroundings_role(surroundings, conversation) != CAPTURE_ROLE_SERVER;
    uint32_t least = copies_pass ? 1 : CONNECTIONS_LEAST;
    /* What comes at the end of that time may be what it wakes up with. */
    return times_within(stretches, silence->from_ns - lasted_ns, until_ns) >= least &&
           !hearing_within(heard, silence->from_ns, until_ns - HELD_TOGETHER_NS);
}

void standstill_leave_open(enum side sender, struct judgement *judgement)
{
    const char *peer = side_name(side_other(sender));
    judgement_doubt(judgement, 0.5);
    judgement->would_settle = settle_by_both_captures;
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more,
             "All that time nothing came from the %s: the way was dead, or that machine stood still (asleep, or a "
             "paused virtual machine).",
             peer);
    judgement_say_more(judgement, more);
}

bool standstill_answers_nobody(const struct surroundings *surroundings, const struct conversation *c, int64_t from_ns,
                               int64_t to_ns)
{
    const struct server_record *host = surroundings_host(surroundings, c);
    const struct time_span *span = time_spans_touching(&host->host_mute, from_ns, to_ns);
    return span && !hearing_within(&host->host_heard, span->from_ns > from_ns ? span->from_ns : from_ns, to_ns);
}

bool standstill_explains(const struct surroundings *surroundings, const struct conversation *c, int64_t from_ns,
                         int64_t to_ns)
{
    const struct server_record *host = surroundings_host(surroundings, c);
    const struct time_span *span = time_spans_touching(&host->host_mute, from_ns, to_ns);
    if (!span || hearing_within(&host->host_heard, span->from_ns, span->to_ns - HELD_TOGETHER_NS))
        return false;
    int64_t back_ns = span->to_ns + (span->to_ns - from_ns) + FIRST_RTO_NS;
    return to_ns <= back_ns;
}
