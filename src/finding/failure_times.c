/* Bursts and their intervals. */
#include "failure_times.h"

/* One outage fails its victims over some seconds: TCP repeats after 1, 2 and 4 s, and programs retry at their own pace. */
#define BURST_GAP_NS (5 * NS_PER_SECOND)

/* Four intervals say little; with five bursts a chance of one in a thousand can be told. */
enum { BURSTS_TESTED = 5 };

/* So that in a report of some dozens of findings none looks regular by chance. */
#define CHANCE 0.001

/* What runs by a clock is on time; what it hurts shows up a little later. Off by a tenth of the period is neither. */
#define OFF_SHARE 0.1

uint32_t failure_times_gather(const int64_t *times_ns, uint32_t count, struct failure_burst *bursts)
{
    uint32_t gathered = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || times_ns[i] - times_ns[i - 1] > BURST_GAP_NS)
            bursts[gathered++] = (struct failure_burst){.first_ns = times_ns[i]};
        bursts[gathered - 1].last_ns = times_ns[i];
        bursts[gathered - 1].count++;
    }
    return gathered;
}

/* How many periods of about that length lie between two bursts. */
static double beats_between(const struct failure_burst *bursts, uint32_t i, double shortest)
{
    int64_t beats = (int64_t)((double)(bursts[i + 1].first_ns - bursts[i].first_ns) / shortest + 0.5);
    return beats < 1 ? 1 : (double)beats;
}

/* From the period's grid that fits best, how far the bursts lie off. */
static double off_most(const struct failure_burst *bursts, uint32_t count, double shortest, double period)
{
    double beat = 0, least = 0, most = 0;
    for (uint32_t i = 0; i + 1 < count; i++) {
        beat += beats_between(bursts, i, shortest);
        double off = (double)(bursts[i + 1].first_ns - bursts[0].first_ns) - beat * period;
        least = off < least ? off : least;
        most = off > most ? off : most;
    }
    return (most - least) / 2;
}

void failure_times_test(const struct failure_burst *bursts, uint32_t count, struct failure_pattern *pattern)
{
    pattern->p_value = 1;
    if (count < BURSTS_TESTED)
        return;
    double shortest = (double)INT64_MAX, shortest_gap = shortest, gaps = 0, beats = 0;
    for (uint32_t i = 0; i + 1 < count; i++) {
        double interval = (double)(bursts[i + 1].first_ns - bursts[i].first_ns);
        double gap = (double)(bursts[i + 1].first_ns - bursts[i].last_ns - BURST_GAP_NS);
        shortest = interval < shortest ? interval : shortest;
        shortest_gap = gap < shortest_gap ? gap : shortest_gap;
        gaps += gap;
    }
    for (uint32_t i = 0; i + 1 < count; i++)
        beats += beats_between(bursts, i, shortest);
    double share = gaps > 0 ? shortest_gap * (count - 1) / gaps : 0;
    for (uint32_t i = 0; i + 2 < count; i++)
        pattern->p_value *= share < 1 ? 1 - share : 0;
    double period = (double)(bursts[count - 1].first_ns - bursts[0].first_ns) / beats;
    double off = off_most(bursts, count, shortest, period);
    pattern->periodic = pattern->p_value < CHANCE && off <= OFF_SHARE * period;
    pattern->period_ns = (int64_t)period;
    pattern->off_most_ns = (int64_t)off;
}
