/* Clocks that differ by a time zone: one of the captures holds local time, as if it were UTC. */
#ifndef TDSCOPE_TIME_ZONE_H
#define TDSCOPE_TIME_ZONE_H

#include "casebook.h"

/* Adds a note to the far capture of each pair of points whose clocks differ so; after the clocks are known. */
void time_zone_note(struct casebook *casebook);

#endif
