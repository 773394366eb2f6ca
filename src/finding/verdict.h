/* The one overall verdict. */
#ifndef TDSCOPE_VERDICT_H
#define TDSCOPE_VERDICT_H

#include "judge.h"

/* Fills judge->verdict from its findings, which are complete, and its counts. */
void verdict_weigh(struct judge *judge);

#endif
