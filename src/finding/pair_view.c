/* Comparing the two ends of a connection. */
#include "pair_view.h"

#include "signs.h"

/* A drop is more than a lost packet: at least three packets of one side in a row, over a second and more. Doubling time-outs from 200
 * or 300 ms on reach that with the third repetition, and so do keep-alive probes one second apart. Where a capture
 * provably missed packets, it may have missed some of these. */
enum { DROPPED_PACKETS = 3, DROPPED_IN_POOR_CAPTURE = 5 };
#define DROPPED_FOR_NS (NS_PER_SECOND * 9 / 10)

static uint32_t point_of(const struct casebook *casebook, enum capture_role role)
{
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (casebook->points[i].role == role)
            return i;
    return UINT32_MAX;
}

static bool runs_at(const struct casebook *casebook, uint32_t point, int64_t time_ns)
{
    return point != UINT32_MAX && casebook->points[point].has_packets && casebook->points[point].first_ns <= time_ns &&
           casebook->points[point].last_ns >= time_ns;
}

bool pair_view_of(const struct surroundings *s, const struct conversation *c, struct pair_view *view)
{
    const struct casebook *casebook = s->casebook;
    if (!casebook->clock.known || c->secondary || casebook->points[c->point].role != CAPTURE_ROLE_CLIENT)
        return false;
    *view = (struct pair_view){.client = c,
                               .compared = c->comparison && !c->comparison->relayed ? c->comparison : NULL,
                               .relayed = c->comparison && c->comparison->relayed};
    if (c->twin) {
        view->server = casebook_conversation(casebook, c->twin - 1);
        return true;
    }
    uint32_t point = point_of(casebook, CAPTURE_ROLE_SERVER);
    return runs_at(casebook, point, clock_to_server(&casebook->clock, c->first.time_ns)) &&
           runs_at(casebook, point, clock_to_server(&casebook->clock, c->last.time_ns)) &&
           surroundings_knows_host(s, point, &c->ends[SIDE_SERVER].address);
}

bool pair_view_covers(const struct surroundings *s, enum side sender, int64_t time_ns)
{
    const struct clock_facts *clock = &s->casebook->clock;
    bool to_server = sender == SIDE_CLIENT;
    uint32_t point = point_of(s->casebook, to_server ? CAPTURE_ROLE_SERVER : CAPTURE_ROLE_CLIENT);
    return runs_at(s->casebook, point, to_server ? clock_to_server(clock, time_ns) : clock_to_client(clock, time_ns));
}

int64_t pair_view_client_ns(const struct surroundings *s, const struct moment *moment)
{
    uint32_t point = s->casebook->captures[moment->capture].point;
    bool by_server = s->casebook->points[point].role == CAPTURE_ROLE_SERVER;
    return by_server ? clock_to_client(&s->casebook->clock, moment->time_ns) : moment->time_ns;
}

bool pair_view_misses_packets(const struct pair_view *view)
{
    const struct passage *client = &view->compared->passages[SIDE_CLIENT],
                         *server = &view->compared->passages[SIDE_SERVER];
    return client->missed + client->unsent + server->missed + server->unsent > 0;
}

bool pair_view_is_complete(const struct pair_view *view)
{
    return view->compared && !pair_view_misses_packets(view) &&
           view->compared->passages[SIDE_CLIENT].open_at_end == 0 &&
           view->compared->passages[SIDE_SERVER].open_at_end == 0 && !signs_of_one_direction(view->client) &&
           !signs_of_one_direction(view->server);
}

static bool stops_arriving(const struct pair_view *view, enum side sender)
{
    const struct passage *passage = &view->compared->passages[sender];
    uint32_t least = pair_view_misses_packets(view) ? DROPPED_IN_POOR_CAPTURE : DROPPED_PACKETS;
    return passage->lost_at_end >= least &&
           passage->last_lost.time_ns - passage->lost_at_end_first.time_ns >= DROPPED_FOR_NS;
}

enum pair_drop pair_view_drop(const struct pair_view *view)
{
    if (!view->compared || !conversation_established(view->client) || signs_of_one_direction(view->client) ||
        signs_of_one_direction(view->server))
        return PAIR_DROP_NONE;
    bool to_server = stops_arriving(view, SIDE_CLIENT), to_client = stops_arriving(view, SIDE_SERVER);
    return to_server && to_client ? PAIR_DROP_BOTH
           : to_server            ? PAIR_DROP_TO_SERVER
           : to_client            ? PAIR_DROP_TO_CLIENT
                                  : PAIR_DROP_NONE;
}

bool pair_view_capture_misses(const struct pair_view *view, enum side at)
{
    return view->compared->passages[at].unsent + view->compared->passages[side_other(at)].missed > 0;
}

double pair_view_confidence(const struct pair_view *view)
{
    return pair_view_misses_packets(view) ? 0.7 : 0.95;
}
