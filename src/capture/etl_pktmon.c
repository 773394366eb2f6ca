/* Packets of Packet Monitor. */
#include "etl_pktmon.h"

#include "cursor.h"
#include "memory.h"

enum { EVENT_COMPONENT = 20, EVENT_PACKET = 160, EVENT_DROP = 170, COMPONENTS = 1 << 16, EDGE_UPPER = 1 };
enum component_type { COMPONENT_MINIPORT = 2, COMPONENT_NETVSC = 9, COMPONENT_NETCX = 14 };
enum packet_type { TYPE_UNKNOWN, TYPE_ETHERNET, TYPE_WIFI, TYPE_IP };

/* The event's own head, packed. */
struct appearance {
    uint16_t number; /* of this appearance, from 1; 0: not counted */
    uint16_t direction, type, component, edge;
    uint32_t reason; /* why it was dropped */
    uint16_t original;
    struct span bytes;
};

static bool read_appearance(const struct etl_event *event, struct appearance *appearance)
{
    struct cursor c = cursor_over(event->payload);
    cursor_skip(&c, 8 + 2); /* the group, and the number in it */
    appearance->number = cursor_u16le(&c);
    appearance->direction = cursor_u16le(&c);
    appearance->type = cursor_u16le(&c);
    appearance->component = cursor_u16le(&c);
    appearance->edge = cursor_u16le(&c);
    cursor_skip(&c, 2); /* filter */
    appearance->reason = cursor_u32le(&c);
    cursor_skip(&c, 4); /* where it was dropped */
    appearance->original = cursor_u16le(&c);
    appearance->bytes = cursor_take(&c, cursor_u16le(&c));
    return !c.failed;
}

static void look_at_component(struct pktmon *pktmon, const struct etl_event *event)
{
    struct cursor c = cursor_over(event->payload);
    uint16_t component = cursor_u16le(&c), type = cursor_u16le(&c);
    pktmon->kept[component] = type == COMPONENT_MINIPORT || type == COMPONENT_NETVSC || type == COMPONENT_NETCX;
}

bool pktmon_look(struct pktmon *pktmon, const struct etl_event *event)
{
    struct appearance appearance;
    if (event->id == EVENT_PACKET && read_appearance(event, &appearance)) {
        pktmon->by_component = appearance.number == 0;
        pktmon->looked = true;
        if (pktmon->packets && appearance.edge == EDGE_UPPER)
            pktmon->packets[appearance.component]++;
    }
    if (pktmon->looked && !pktmon->by_component)
        return false;
    if (!pktmon->packets) {
        pktmon->packets = memory_take_array(COMPONENTS, sizeof *pktmon->packets);
        pktmon->kept = memory_take(COMPONENTS);
    }
    if (event->id == EVENT_COMPONENT)
        look_at_component(pktmon, event);
    return true;
}

/* Where no driver of a card is named, or none has packets, the component that has most. */
void pktmon_looked(struct pktmon *pktmon)
{
    uint32_t most = 0;
    bool any = false;
    for (uint32_t i = 0; pktmon->packets && i < COMPONENTS; i++) {
        any = any || (pktmon->kept[i] && pktmon->packets[i] > 0);
        most = pktmon->packets[i] > pktmon->packets[most] ? i : most;
    }
    if (pktmon->kept && !any)
        pktmon->kept[most] = 1;
    memory_give(pktmon->packets);
    pktmon->packets = NULL;
}

/* Below what makes Wi-Fi look like Ethernet, and at some drops, packets are told to be of Wi-Fi and are of Ethernet: the first two bits of
 * Wi-Fi's header are its version, which is 0 (IEEE 802.11, 9.2.4.1.2). */
static uint32_t link_type_of(const struct appearance *appearance)
{
    struct span bytes = appearance->bytes;
    bool ethernet = etl_packet_is_ethernet(bytes);
    switch ((enum packet_type)appearance->type) {
    case TYPE_ETHERNET:
        return LINKTYPE_ETHERNET;
    case TYPE_WIFI:
        return ethernet || (bytes.size > 0 && (bytes.data[0] & 3) != 0) ? LINKTYPE_ETHERNET : LINKTYPE_WLAN;
    case TYPE_IP:
        return LINKTYPE_RAW_IP;
    case TYPE_UNKNOWN:
        return ethernet ? LINKTYPE_ETHERNET : 0;
    }
    return 0;
}

/* Odd numbers are of packets that come in, or up. */
static enum frame_direction direction_of(uint16_t direction)
{
    if (direction == 0)
        return FRAME_DIRECTION_UNKNOWN;
    return direction % 2 == 1 ? FRAME_INBOUND : FRAME_OUTBOUND;
}

static void count_drop(struct pktmon *pktmon, uint32_t reason)
{
    pktmon->dropped++;
    for (unsigned i = 0; i < PKTMON_DROP_REASONS; i++) {
        struct pktmon_drop *drop = &pktmon->drops[i];
        if (drop->count > 0 && drop->reason != reason)
            continue;
        *drop = (struct pktmon_drop){reason, drop->count + 1};
        return;
    }
}

static bool is_kept(const struct pktmon *pktmon, const struct appearance *appearance)
{
    if (!pktmon->by_component)
        return appearance->number == 1;
    return pktmon->kept && pktmon->kept[appearance->component] && appearance->edge == EDGE_UPPER;
}

static struct etl_packet packet_of(const struct etl_event *event, const struct appearance *appearance)
{
    size_t size = appearance->bytes.size;
    return (struct etl_packet){.bytes = appearance->bytes,
                               .wire_length = (uint32_t)(appearance->original > size ? appearance->original : size),
                               .link_type = link_type_of(appearance),
                               .ticks = event->ticks,
                               .offset = event->offset,
                               .direction = direction_of(appearance->direction)};
}

enum etl_reading pktmon_read(struct pktmon *pktmon, const struct etl_event *event, struct etl_packet *packet)
{
    struct appearance appearance;
    if ((event->id != EVENT_PACKET && event->id != EVENT_DROP) || !read_appearance(event, &appearance))
        return ETL_NO_PACKET;
    if (event->id == EVENT_DROP) {
        count_drop(pktmon, appearance.reason);
        return ETL_NO_PACKET;
    }
    if (!is_kept(pktmon, &appearance)) {
        pktmon->elsewhere++;
        return ETL_ELSEWHERE;
    }
    *packet = packet_of(event, &appearance);
    pktmon->headless += packet->link_type == 0;
    return packet->link_type == 0 ? ETL_ELSEWHERE : ETL_PACKET;
}

/* The points at which the filtering platform inspects. All other reasons are of cards that are busy or paused, of virtual switches, and of IP and
 * TCP themselves, which have no use for a packet; 0 is none. */
static bool is_of_filter(uint32_t reason)
{
    static const uint32_t inspections[] = {909, 1207, 1231};
    for (size_t i = 0; i < sizeof inspections / sizeof *inspections; i++)
        if (reason == inspections[i])
            return true;
    return false;
}

bool pktmon_read_drop(const struct etl_event *event, struct pktmon_dropped *dropped)
{
    struct appearance appearance;
    if (event->id != EVENT_DROP || !read_appearance(event, &appearance))
        return false;
    *dropped =
        (struct pktmon_dropped){packet_of(event, &appearance), appearance.reason, is_of_filter(appearance.reason)};
    return dropped->packet.link_type != 0;
}

/* Microsoft: PACKETMONITOR_DROP_REASON. */
static const struct {
    uint32_t reason;
    const char *means;
} reasons[] = {
    {204, "no protocol for it"},
    {612, "damaged"},
    {902, "for another machine"},
    {904, "no program listens on that UDP port"},
    {907, "no route"},
    {909, "inspection by the firewall or a filter driver"},
    {912, "wrong checksum"},
    {914, "too many hops"},
    {918, "arbitration"},
    {920, "too large, and not to be fragmented"},
    {922, "no answer to ARP"},
    {923, "next machine not found"},
    {1203, "wrong checksum of TCP or UDP"},
    {1204, "no program listens on that port"},
    {1206, "state of the connection"},
    {1207, "inspection of what a connection receives"},
    {1210, "a reset"},
    {1213, "old TCP timestamp"},
    {1216, "outside the receive window"},
    {1217, "received before"},
    {1224, "no such connection"},
    {1230, "too many half-open connections"},
    {1231, "inspection of what a listener accepts"},
};

const char *pktmon_reason(uint32_t reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].reason == reason)
            return reasons[i].means;
    return NULL;
}

void pktmon_close(struct pktmon *pktmon)
{
    memory_give(pktmon->packets);
    memory_give(pktmon->kept);
    *pktmon = (struct pktmon){0};
}
