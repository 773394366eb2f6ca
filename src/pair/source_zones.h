/* In which time zone a log was written that does not say so. */
#ifndef TDSCOPE_SOURCE_ZONES_H
#define TDSCOPE_SOURCE_ZONES_H

#include "casebook.h"

/* Finds it for every source with ZONE_OPEN whose failed logins fit connections in the captures at one offset and at no other; then its
 * times become UTC. After pairing, before casebook_join(). */
void source_zones_find(struct casebook *casebook);

#endif
