/* The packets that an event trace of Packet Monitor says the machine's network stack threw away: no packets of the capture, but proof. */
#ifndef TDSCOPE_ETL_DROPS_H
#define TDSCOPE_ETL_DROPS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "frame.h"

struct etl_drops;

struct etl_drop {
    struct frame frame; /* .moment.frame is its number among the drops; valid until the next one is asked for */
    uint32_t reason;    /* PACKETMONITOR_DROP_REASON */
    const char *means;  /* NULL: not known here */
    bool by_filter;     /* where filters inspect; else a card, IP or TCP had no use for it, or it is not told */
};

/* NULL with *error: it cannot be read, or is no event trace. */
struct etl_drops *etl_drops_open(const char *path, struct error *error);
bool etl_drops_next(struct etl_drops *drops, struct etl_drop *drop); /* in order of time; false: that was all */
void etl_drops_close(struct etl_drops *drops);

#endif
