/* What traces tell beside their packets: those that the machine they were taken on threw away, as evidence. */
#ifndef TDSCOPE_TRACE_DROPS_H
#define TDSCOPE_TRACE_DROPS_H

#include "casebook.h"

/* Once it is known where captures were taken. Each trace that tells of drops becomes a source, too. */
void trace_drops_read(struct casebook *casebook);

#endif
