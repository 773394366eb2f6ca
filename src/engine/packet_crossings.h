/* How the packets of one connection fared between the captures of it, told stretch by stretch and put together. */
#ifndef TDSCOPE_PACKET_CROSSINGS_H
#define TDSCOPE_PACKET_CROSSINGS_H

#include "casebook.h"
#include "comparator.h"
#include "shown_packets.h"

struct stretch_crossings {
    struct stretch_crossing *list;
    uint32_t count, capacity;
    uint32_t beyond; /* that are not kept */
};

/* By number of the stretch, as second_reading.h counts them. */
struct packet_crossings {
    struct stretch_crossings stretches[PATH_POINTS_MOST];
};

/* Keeps the fate of a packet on a stretch; a fate_observer, context is the struct packet_crossings. */
void packet_crossings_see(void *context, unsigned stretch, enum side sender, const struct compared_packet *sent,
                          const struct compared_packet *arrived, enum packet_fate fate);

/* Keeps nothing of what it saw so far. */
void packet_crossings_forget(void *context);

/* Fills shown, whose id is set. Where two neighbours could not be compared, its views are those at the ends only. */
void packet_crossings_join(const struct packet_crossings *crossings, const struct casebook *casebook,
                           struct shown_crossings *shown);

void packet_crossings_close(struct packet_crossings *crossings);

#endif
