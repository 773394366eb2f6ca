/* Moments of failures: gathered into bursts, and tested for a period. */
#ifndef TDSCOPE_FAILURE_TIMES_H
#define TDSCOPE_FAILURE_TIMES_H

#include "failure_pattern.h"

/* Puts ascending times into bursts; returns how many there are. bursts has room for count. */
uint32_t failure_times_gather(const int64_t *times_ns, uint32_t count, struct failure_burst *bursts);

/*
 * Fills periodic, period_ns, off_most_ns and p_value.
 *
 * The test: of k intervals that random (Poisson) events leave, none is shorter than the share r of their mean with probability (1 -
 * r)^(k - 1) exactly. Regular events have a shortest interval near the mean, also when some of them did not show. One interval is tested,
 * so nothing is found by trying many periods. Bursts cannot lie closer than the gap that parts them, which is taken off
 * first.
 */
void failure_times_test(const struct failure_burst *bursts, uint32_t count, struct failure_pattern *pattern);

#endif
