/*
 * Packets of NDIS' capture (`netsh trace start capture=yes`, New-NetEventSession; provider Microsoft-Windows-NDIS-PacketCapture): event 1001.
 *
 * Windows 7 and 8 split a packet over several events; so do no later ones. Where several filter layers of a card are captured, a packet
 * shows at each: those at the card itself are kept, or at the lowest number.
 */
#ifndef TDSCOPE_ETL_NDIS_H
#define TDSCOPE_ETL_NDIS_H

#include "etl_packet.h"

enum { NDIS_CARDS_MOST = 64, NDIS_OPEN_MOST = 32 };

/* A card, and the layer whose packets are kept. */
struct ndis_card {
    uint32_t card, layer;
};

/* A packet of which parts were read. */
struct ndis_parts {
    uint16_t stream;
    uint32_t layer;
    struct etl_packet packet; /* of the first part */
    uint8_t *bytes;           /* owned; NULL: this one is free */
    size_t size;
};

struct ndis {
    struct ndis_card cards[NDIS_CARDS_MOST];
    uint32_t card_count;
    uint32_t looked_at; /* packets */
    struct ndis_parts open[NDIS_OPEN_MOST];
    struct ndis_parts whole; /* the last one that was put together */
    uint64_t elsewhere;      /* packets that were passed over */
    uint64_t torn;           /* packets of which parts are missing */
    uint64_t switched;       /* packets of virtual switches, which are not read */
};

/* A first look at the trace. False: enough is known. */
bool ndis_look(struct ndis *ndis, const struct etl_event *event);

/* As pktmon_read(). */
enum etl_reading ndis_read(struct ndis *ndis, const struct etl_event *event, struct etl_packet *packet);

void ndis_close(struct ndis *ndis);

#endif
