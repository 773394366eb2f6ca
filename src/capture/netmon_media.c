/* Media types of Network Monitor (NDIS_MEDIUM of ntddndis.h, as Network Monitor 3 uses its numbers). */
#include "netmon_media.h"

#include "link_types.h"

/* A capture of libpcap's that was converted: the low bits are its link type. */
enum {
    CONVERTED = 0xE000,
    CONVERTED_BITS = 0xF000,
    MESSAGES_FIRST = 0xE080,
    MESSAGES_LAST = 0xE08A,
    WLAN_MESSAGE = 0xE080
};

enum {
    EVENT = 0xFFE0,
    NETWORK_INFO_EX = 0xFFFB,
    PAYLOAD_HEADER = 0xFFFC,
    NETWORK_INFO = 0xFFFD,
    DNS_CACHE = 0xFFFE,
    FILTER = 0xFFFF
};

static const struct netmon_media by_number[] = {
    {NETMON_PACKET, LINKTYPE_ETHERNET}, /* not told: of virtual private networks, with Ethernet's headers */
    {NETMON_PACKET, LINKTYPE_ETHERNET},
    {NETMON_PACKET, LINKTYPE_TOKEN_RING},
    {NETMON_PACKET, LINKTYPE_FDDI},
    {NETMON_UNKNOWN, 0}, /* ATM */
    {NETMON_UNKNOWN, 0}, /* IP over IEEE 1394 */
    {NETMON_WLAN, LINKTYPE_WLAN},
    {NETMON_PACKET, LINKTYPE_RAW_IP}, /* tunnels */
    {NETMON_PACKET, LINKTYPE_RAW_IP}, /* mobile networks */
    {NETMON_PACKET, LINKTYPE_RAW_IP},
};

/* Microsoft's Message Analyzer gives its own kinds of records numbers among those of libpcap. */
static struct netmon_media converted(uint16_t type)
{
    if (type == WLAN_MESSAGE)
        return (struct netmon_media){NETMON_PACKET, LINKTYPE_WLAN};
    if (type >= MESSAGES_FIRST && type <= MESSAGES_LAST)
        return (struct netmon_media){NETMON_EVENT, 0};
    return (struct netmon_media){NETMON_PACKET, type & ~(uint32_t)CONVERTED_BITS};
}

struct netmon_media netmon_media_of(uint16_t type)
{
    if (type < sizeof by_number / sizeof *by_number)
        return by_number[type];
    if ((type & CONVERTED_BITS) == CONVERTED)
        return converted(type);
    switch (type) {
    case EVENT:
        return (struct netmon_media){NETMON_EVENT, 0};
    case NETWORK_INFO_EX:
    case FILTER:
        return (struct netmon_media){NETMON_REMARK, 0};
    case PAYLOAD_HEADER:
    case NETWORK_INFO:
    case DNS_CACHE:
        return (struct netmon_media){NETMON_TABLE, 0};
    default:
        return (struct netmon_media){NETMON_UNKNOWN, 0};
    }
}
