/* A packet out of an event of a trace, and what its bytes are. */
#ifndef TDSCOPE_ETL_PACKET_H
#define TDSCOPE_ETL_PACKET_H

#include "etl_events.h"
#include "frame.h"
#include "link_types.h"

struct etl_packet {
    struct span bytes; /* valid until the next event is asked for */
    uint32_t wire_length;
    uint32_t link_type;
    int64_t ticks;
    uint64_t offset; /* in the file, of the buffer that it stands in */
    enum frame_direction direction;
};

/* What became of an event: a packet; one that is counted, but is kept from another place where it shows; something else. */
enum etl_reading { ETL_PACKET, ETL_ELSEWHERE, ETL_NO_PACKET };

/* Ethernet with IPv4, IPv6 or ARP in it. */
bool etl_packet_is_ethernet(struct span bytes);

/* What was on the wire as the IP header tells; captured, where it tells nothing, or no more. */
uint32_t etl_packet_ip_length(uint32_t link_type, struct span bytes);

#endif
