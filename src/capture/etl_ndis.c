/* Packets of NDIS' capture. */
#include "etl_ndis.h"

#include <string.h>

#include "cursor.h"
#include "memory.h"
#include "reader.h"

enum { EVENT_PACKET = 1001, EVENT_SWITCHED = 1003, LOOK_AT = 2000 };

#define KEYWORD_MOBILE 0x200U /* IP without a link's header */
#define KEYWORD_WIFI 0x10000U
#define KEYWORD_START 0x40000000U
#define KEYWORD_END 0x80000000U
#define KEYWORD_SEND 0x100000000ULL
#define KEYWORD_RECEIVE 0x200000000ULL

struct part {
    uint32_t card, layer;
    struct span bytes;
};

/* Later Windows put more behind the bytes. */
static bool read_part(const struct etl_event *event, struct part *part)
{
    struct cursor c = cursor_over(event->payload);
    part->card = cursor_u32le(&c);
    part->layer = cursor_u32le(&c);
    part->bytes = cursor_take(&c, cursor_u32le(&c));
    return !c.failed;
}

static struct ndis_card *card_of(struct ndis *ndis, uint32_t card)
{
    for (uint32_t i = 0; i < ndis->card_count; i++)
        if (ndis->cards[i].card == card)
            return &ndis->cards[i];
    return NULL;
}

static struct ndis_card *need_card(struct ndis *ndis, const struct part *part)
{
    struct ndis_card *card = card_of(ndis, part->card);
    if (card || ndis->card_count == NDIS_CARDS_MOST)
        return card;
    card = &ndis->cards[ndis->card_count++];
    *card = (struct ndis_card){part->card, part->layer};
    return card;
}

bool ndis_look(struct ndis *ndis, const struct etl_event *event)
{
    struct part part;
    if (event->id != EVENT_PACKET || !read_part(event, &part))
        return true;
    struct ndis_card *card = need_card(ndis, &part);
    bool is_card = card && card->layer == card->card;
    if (card && !is_card && (part.layer == part.card || part.layer < card->layer))
        card->layer = part.layer;
    return ++ndis->looked_at < LOOK_AT;
}

static uint32_t link_type_of(uint64_t keyword)
{
    if (keyword & KEYWORD_WIFI)
        return LINKTYPE_WLAN;
    return keyword & KEYWORD_MOBILE ? LINKTYPE_RAW_IP : LINKTYPE_ETHERNET;
}

static enum frame_direction direction_of(uint64_t keyword)
{
    if (keyword & KEYWORD_SEND)
        return FRAME_OUTBOUND;
    return keyword & KEYWORD_RECEIVE ? FRAME_INBOUND : FRAME_DIRECTION_UNKNOWN;
}

static struct ndis_parts *open_parts(struct ndis *ndis, const struct etl_event *event, uint32_t layer)
{
    for (unsigned i = 0; i < NDIS_OPEN_MOST; i++) {
        struct ndis_parts *parts = &ndis->open[i];
        if (parts->bytes && parts->stream == event->stream && parts->layer == layer)
            return parts;
    }
    return NULL;
}

static void drop_parts(struct ndis *ndis, struct ndis_parts *parts)
{
    memory_give(parts->bytes);
    *parts = (struct ndis_parts){0};
    ndis->torn++;
}

/* Those that wait longest make room: their ends are lost. */
static struct ndis_parts *free_parts(struct ndis *ndis)
{
    struct ndis_parts *oldest = &ndis->open[0];
    for (unsigned i = 0; i < NDIS_OPEN_MOST; i++) {
        struct ndis_parts *parts = &ndis->open[i];
        if (!parts->bytes)
            return parts;
        oldest = parts->packet.ticks < oldest->packet.ticks ? parts : oldest;
    }
    drop_parts(ndis, oldest);
    return oldest;
}

static bool add_part(struct ndis *ndis, struct ndis_parts *parts, struct span bytes)
{
    if (bytes.size > READER_FRAME_MAX_BYTES - parts->size) {
        drop_parts(ndis, parts);
        return false;
    }
    parts->bytes = memory_grow(parts->bytes, parts->size + bytes.size + 1, 1);
    if (bytes.size > 0)
        memcpy(parts->bytes + parts->size, bytes.data, bytes.size);
    parts->size += bytes.size;
    return true;
}

/* A part of a packet that is split. False: more of it has to come, or it is torn. */
static bool put_together(struct ndis *ndis, const struct etl_event *event, const struct part *part,
                         struct etl_packet *packet)
{
    struct ndis_parts *parts = open_parts(ndis, event, part->layer);
    if (event->keyword & KEYWORD_START) {
        if (parts)
            drop_parts(ndis, parts);
        parts = free_parts(ndis);
        *parts = (struct ndis_parts){.stream = event->stream, .layer = part->layer, .packet = *packet};
    } else if (!parts) {
        ndis->torn++;
        return false;
    }
    if (!add_part(ndis, parts, part->bytes) || !(event->keyword & KEYWORD_END))
        return false;
    memory_give(ndis->whole.bytes);
    ndis->whole = *parts;
    *parts = (struct ndis_parts){0};
    *packet = ndis->whole.packet;
    packet->bytes = (struct span){ndis->whole.bytes, ndis->whole.size};
    return true;
}

/* Events do not say how long a packet was that was cut; its IP header does. */
static void tell_length(struct etl_packet *packet)
{
    packet->wire_length = packet->link_type == LINKTYPE_WLAN ? (uint32_t)packet->bytes.size
                                                             : etl_packet_ip_length(packet->link_type, packet->bytes);
}

enum etl_reading ndis_read(struct ndis *ndis, const struct etl_event *event, struct etl_packet *packet)
{
    struct part part;
    ndis->switched += event->id == EVENT_SWITCHED;
    if (event->id != EVENT_PACKET || !read_part(event, &part))
        return ETL_NO_PACKET;
    const struct ndis_card *card = need_card(ndis, &part);
    *packet = (struct etl_packet){.bytes = part.bytes,
                                  .link_type = link_type_of(event->keyword),
                                  .ticks = event->ticks,
                                  .offset = event->offset,
                                  .direction = direction_of(event->keyword)};
    if (card && card->layer != part.layer) {
        bool ends = event->keyword & KEYWORD_END;
        ndis->elsewhere += ends;
        return ends ? ETL_ELSEWHERE : ETL_NO_PACKET;
    }
    bool whole = (event->keyword & KEYWORD_START) && (event->keyword & KEYWORD_END);
    if (!whole && !put_together(ndis, event, &part, packet))
        return ETL_NO_PACKET;
    tell_length(packet);
    return ETL_PACKET;
}

void ndis_close(struct ndis *ndis)
{
    for (unsigned i = 0; i < NDIS_OPEN_MOST; i++)
        memory_give(ndis->open[i].bytes);
    memory_give(ndis->whole.bytes);
    *ndis = (struct ndis){0};
}
