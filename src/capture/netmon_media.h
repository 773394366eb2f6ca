/* What a record of a Network Monitor file is, by its media type. */
#ifndef TDSCOPE_NETMON_MEDIA_H
#define TDSCOPE_NETMON_MEDIA_H

#include <stdint.h>

enum netmon_record {
    NETMON_PACKET,
    NETMON_WLAN,    /* a packet of Wi-Fi, behind what the card tells of it */
    NETMON_EVENT,   /* an event of Windows, which may hold a packet */
    NETMON_REMARK,  /* what Network Monitor remarks of itself; Wireshark numbers it like a packet */
    NETMON_TABLE,   /* the same, without a number */
    NETMON_UNKNOWN, /* packets of a kind that is not read */
};

struct netmon_media {
    enum netmon_record record;
    uint32_t link_type; /* of NETMON_PACKET and NETMON_WLAN */
};

struct netmon_media netmon_media_of(uint16_t type);

#endif
