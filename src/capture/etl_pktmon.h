/*
 * Packets of Packet Monitor (pktmon, provider Microsoft-Windows-PktMon): events 160 and 170, whose layout is the same since Windows 10 2004.
 *
 * A packet shows at every component of the network stack that it passes, six to thirteen times. Up to Windows Server 2022 each of these
 * appearances is counted, and the first one is kept. Windows 11 24H2 and Server 2025 do not count any more: there those at the lower edge of
 * the cards' drivers are kept, which the events at the trace's end name.
 */
#ifndef TDSCOPE_ETL_PKTMON_H
#define TDSCOPE_ETL_PKTMON_H

#include "etl_packet.h"

enum { PKTMON_DROP_REASONS = 8 };

/* So many packets for that reason. */
struct pktmon_drop {
    uint32_t reason;
    uint64_t count;
};

struct pktmon {
    bool looked;                                   /* at its first packet */
    bool by_component;                             /* appearances are not counted */
    uint32_t *packets;                             /* by component, while looking; owned */
    uint8_t *kept;                                 /* by component, whether its packets are; owned */
    uint64_t elsewhere;                            /* packets that were passed over */
    uint64_t headless;                             /* packets of which no header of the link or of IP was recorded */
    uint64_t dropped;                              /* events of dropped packets */
    struct pktmon_drop drops[PKTMON_DROP_REASONS]; /* their reasons; count 0: no more */
};

/* A first look at the trace. False: enough is known. */
bool pktmon_look(struct pktmon *pktmon, const struct etl_event *event);
void pktmon_looked(struct pktmon *pktmon);

/* *packet is filled for ETL_PACKET. */
enum etl_reading pktmon_read(struct pktmon *pktmon, const struct etl_event *event, struct etl_packet *packet);

struct pktmon_dropped {
    struct etl_packet packet;
    uint32_t reason;
    bool by_filter; /* where filters inspect; else a card, IP or TCP had no use for it, or it is not told */
};

/* Whether the event tells of a dropped packet, of which headers are known. */
bool pktmon_read_drop(const struct etl_event *event, struct pktmon_dropped *dropped);

/* What a dropped packet's reason means; NULL: not known here. */
const char *pktmon_reason(uint32_t reason);

void pktmon_close(struct pktmon *pktmon);

#endif
