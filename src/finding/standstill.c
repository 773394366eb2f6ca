/* Whether the receiver may have stood still while packets seem to have been lost on the way to it. */
#include "standstill.h"

#include <stdio.h>

#include "count_words.h"
#include "signs.h"

/* One connection may be silent for reasons of its own. */
enum { CONNECTIONS_LEAST = 2 };

/* The silence of the receiver's capture that holds all of that time; NULL: there is none. */
static const struct capture_silence *silence_over(const struct pair_view *view, const struct surroundings *s,
                                                  enum side sender, const struct moment *first,
                                                  const struct moment *last)
{
    const struct clock_facts *clock = &view->pair->clock;
    bool to_server = sender == SIDE_CLIENT;
    const struct conversation *received = to_server ? view->server : view->client;
    int64_t way_ns = view->compared->passages[sender].shortest_ns,
            from_ns =
                (to_server ? clock_to_server(clock, first->time_ns) : clock_to_client(clock, first->time_ns)) + way_ns,
            to_ns =
                (to_server ? clock_to_server(clock, last->time_ns) : clock_to_client(clock, last->time_ns)) + way_ns;
    const struct capture_silence *silence =
        capture_silences_in(&s->casebook->points[received->point].silences, from_ns, to_ns);
    return silence && silence->from_ns <= from_ns && silence->to_ns >= to_ns ? silence : NULL;
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
    judgement->would_settle = to_client ? "What the client machine's own log tells of that time: sleep, a snapshot, a "
                                          "move to another host."
                                        : "What the server machine's own log, and its host's, tell of that time: a "
                                          "snapshot, a move to another host, a time that jumps.";
    if (to_client) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->confidence = 0.5;
    } else if (judgement->confidence > server_at_most) {
        judgement->confidence = server_at_most;
    }
}
