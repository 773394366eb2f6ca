/*
 * Theory of operation. The value of a timestamp comes from a clock that ticks evenly, at a rate that its machine chooses, a millisecond to
 * a second a tick (RFC 7323, 5.4), and each packet but a reset has one (3.2). So two packets of a side tell how much time passed between
 * them on its machine, at most, once others of it have told the rate. Where much less passed than the capture's clock tells, on the
 * machines of both ends, that clock was set forward in between (or both stood still together). One machine alone may
 * have stood still while the other waited.
 *
 * A SYN's value is some other number with some stacks (zero; options of a SYN that was not remembered): it may begin a stretch, of which
 * it then makes more ticks, but tells nothing of the rate.
 */
#include "tcp_ticks.h"

/* What is shorter makes nothing late. */
#define STRETCH_LEAST_NS NS_PER_SECOND
#define TICK_LEAST_NS NS_PER_MS

/* Each of the two pieces beside a stretch shows up to a tick more than its time. */
enum { TICKS_TOO_MANY = 2 };

static bool is_slower(const struct side_ticks *ticks, uint32_t count, int64_t for_ns)
{
    int64_t known_ns = ticks->slow_to_ns - ticks->slow_from_ns;
    return ((double)count + 1) * (double)known_ns < ((double)ticks->slow_count + 1) * (double)for_ns;
}

static void note_stretch(struct side_ticks *ticks, uint32_t count, int64_t now_ns)
{
    if (ticks->slow_to_ns != 0 && !is_slower(ticks, count, now_ns - ticks->last_ns))
        return;
    ticks->slow_from_ns = ticks->last_ns;
    ticks->slow_to_ns = now_ns;
    ticks->slow_count = count;
}

void tcp_ticks_see(struct side_ticks *ticks, const struct packet *p)
{
    uint32_t value = p->tcp.timestamp_value;
    int64_t now_ns = p->moment.time_ns;
    if (ticks->last_ns != 0 && (now_ns < ticks->last_ns || seq_distance(value, ticks->last) < 0))
        return; /* recorded out of order */
    if (ticks->last_ns != 0 && now_ns - ticks->last_ns >= STRETCH_LEAST_NS)
        note_stretch(ticks, value - ticks->last, now_ns);
    if (ticks->begun_ns == 0 && !(p->tcp.flags & TCP_SYN)) {
        ticks->begun_ns = now_ns;
        ticks->begun = value;
    }
    ticks->last_ns = now_ns;
    ticks->last = value;
}

/* How much time passed on its machine in its slow stretch, at most, by its other packets; false: they do not tell. */
static bool passed_most(const struct side_ticks *ticks, double *passed_ns)
{
    uint32_t count = ticks->last - ticks->begun;
    int64_t for_ns = ticks->last_ns - ticks->begun_ns;
    if (ticks->begun_ns == 0 || ticks->slow_to_ns == 0)
        return false;
    if (ticks->slow_from_ns >= ticks->begun_ns) {
        count -= ticks->slow_count;
        for_ns -= ticks->slow_to_ns - ticks->slow_from_ns;
    }
    if (count <= TICKS_TOO_MANY)
        return false;
    double tick_ns = (double)for_ns / (count - TICKS_TOO_MANY);
    if (tick_ns < (double)TICK_LEAST_NS)
        tick_ns = (double)TICK_LEAST_NS;
    *passed_ns = ((double)ticks->slow_count + 1) * tick_ns;
    return true;
}

/* The part that the slow stretches of both have in common, if less than half of it passed on either machine. */
static bool stood_still(const struct side_ticks *a, const struct side_ticks *b, struct stretch *still)
{
    double of_a_ns, of_b_ns;
    still->from_ns = a->slow_from_ns > b->slow_from_ns ? a->slow_from_ns : b->slow_from_ns;
    still->to_ns = a->slow_to_ns < b->slow_to_ns ? a->slow_to_ns : b->slow_to_ns;
    int64_t told_ns = still->to_ns - still->from_ns;
    return told_ns >= STRETCH_LEAST_NS && passed_most(a, &of_a_ns) && passed_most(b, &of_b_ns) &&
           2 * of_a_ns < (double)told_ns && 2 * of_b_ns < (double)told_ns;
}

void tcp_ticks_conclude(struct flow *flow)
{
    struct conversation *c = flow->conversation;
    struct stretch still;
    if (!stood_still(&flow->directions[0].ticks, &flow->directions[1].ticks, &still) ||
        still.to_ns - still.from_ns < c->left_alone.to_ns - c->left_alone.from_ns)
        return;
    c->left_alone = still;
    c->stamps_tell = true;
}
