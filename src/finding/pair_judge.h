/* One judgement of a connection that both ends captured. */
#ifndef TDSCOPE_PAIR_JUDGE_H
#define TDSCOPE_PAIR_JUDGE_H

#include "detector.h"
#include "pair_view.h"

/* What only the comparison of both ends can tell: the detector with the greatest confidence among those that hold. */
bool pair_judge_compare(const struct pair_view *view, const struct surroundings *surroundings,
                        struct judgement *judgement);

/* Which of two judgements, each made from one end alone, stands for the connection. Each end is believed about itself, and an end
 * whose capture was over before the connection's end does not refute the other one. */
const struct judgement *pair_judge_choose(const struct pair_view *view, const struct judgement *by_client,
                                          const struct judgement *by_server);

#endif
