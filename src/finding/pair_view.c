/* Comparing the two ends of a connection by their facts. */
#include "pair_view.h"

#include "signs.h"

/* A drop is more than a lost packet: at least three packets of one side in a row, over a second and more. Doubling time-outs from 200
 * or 300 ms on reach that with the third repetition, and so do keep-alive probes one second apart. */
enum { DROPPED_PACKETS = 3 };
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
                               .shift_ns = casebook->clock.server_minus_client_ns,
                               .slack_ns = 2 * casebook->clock.uncertainty_ns};
    if (c->twin) {
        view->server = casebook_conversation(casebook, c->twin - 1);
        return true;
    }
    uint32_t point = point_of(casebook, CAPTURE_ROLE_SERVER);
    int64_t from_ns = c->first.time_ns + view->shift_ns, to_ns = c->last.time_ns + view->shift_ns;
    return runs_at(casebook, point, from_ns) && runs_at(casebook, point, to_ns) &&
           surroundings_knows_server(s, point, &c->ends[SIDE_SERVER]);
}

bool pair_view_covers(const struct surroundings *s, const struct pair_view *view, enum side sender, int64_t time_ns)
{
    bool to_server = sender == SIDE_CLIENT;
    uint32_t point = point_of(s->casebook, to_server ? CAPTURE_ROLE_SERVER : CAPTURE_ROLE_CLIENT);
    return runs_at(s->casebook, point, time_ns + (to_server ? view->shift_ns : -view->shift_ns));
}

static uint32_t real_packets(const struct tcp_side *side)
{
    return side->packets - side->capture_duplicates;
}

/* Whether that side's packets stopped arriving. Time decides; the numbers only confirm, because cards split and join segments. */
static bool stops_arriving(const struct surroundings *s, const struct pair_view *view, enum side sender,
                           struct pair_losses *losses)
{
    bool to_server = sender == SIDE_CLIENT;
    const struct tcp_side *sent = &(to_server ? view->client : view->server)->sides[sender];
    const struct tcp_side *arrived = &(to_server ? view->server : view->client)->sides[sender];
    losses->last_sent[sender] = sent->last;
    losses->last_arrival[sender] = arrived->last;
    if (!moment_seen(&sent->last) || !moment_seen(&arrived->last) ||
        real_packets(sent) < real_packets(arrived) + DROPPED_PACKETS)
        return false;
    losses->lost[sender] = real_packets(sent) - real_packets(arrived);
    int64_t sent_ns = sent->last.time_ns + (to_server ? view->shift_ns : -view->shift_ns);
    if (sent_ns - arrived->last.time_ns < DROPPED_FOR_NS + view->slack_ns)
        return false;
    bool retried = sent->data_run.count + 1 >= DROPPED_PACKETS || sent->keep_alive_run.count + 1 >= DROPPED_PACKETS;
    return retried && pair_view_covers(s, view, sender, sent->last.time_ns);
}

struct pair_losses pair_view_losses(const struct surroundings *s, const struct pair_view *view)
{
    struct pair_losses losses = {0};
    if (!view->server || signs_of_one_direction(view->client) || signs_of_one_direction(view->server))
        return losses;
    bool to_server = stops_arriving(s, view, SIDE_CLIENT, &losses),
         to_client = stops_arriving(s, view, SIDE_SERVER, &losses);
    losses.drop = to_server && to_client ? PAIR_DROP_BOTH
                  : to_server            ? PAIR_DROP_TO_SERVER
                  : to_client            ? PAIR_DROP_TO_CLIENT
                                         : PAIR_DROP_NONE;
    return losses;
}
