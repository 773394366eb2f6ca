/*
 * Reads Windows' event traces (ETL): packets of NDIS' capture (`netsh trace`) and of Packet Monitor (`pktmon`).
 *
 * Theory of operation. The file is a row of buffers, each with the events of one processor. A look at their headers tells their order, and
 * a first look at the events at which places of the network stack packets are to be kept: they show at several. Then events are taken in
 * order of time. Packets have the number that they have once Microsoft's tools (`pktmon etl2pcap`, etl2pcapng) converted the trace: those
 * that are passed over are counted, too.
 */
#include <string.h>

#include "decrypted_wlan.h"
#include "etl_ndis.h"
#include "etl_pktmon.h"
#include "frame_room.h"
#include "memory.h"
#include "reader.h"

struct etl_state {
    struct etl_header header;
    struct etl_buffers buffers;
    struct etl_events events;
    struct pktmon pktmon;
    struct ndis ndis;
    struct frame_room room;
    struct window *window; /* the reader's own */
    uint32_t packets;      /* that were counted */
    uint32_t given;
    uint64_t filtering; /* events of the filtering platform's provider, which are not read */
};

static bool etl_recognises(struct span head)
{
    return etl_header_recognises(head);
}

static void note_head(const struct etl_state *etl, struct capture_facts *facts)
{
    const struct etl_header *header = &etl->header;
    if (!header->closed || !etl->buffers.ends)
        notes_add(&facts->notes, "trace not closed",
                  "the trace was not ended properly: what Windows had not written yet is missing");
    if (header->buffers_lost > 0 || (etl->buffers.lost > 0 && header->events_lost == 0))
        notes_add(&facts->notes, "buffers lost", "Windows lost buffers of the trace, with all packets in them");
}

/* What was lost may have been packets or not. */
static void tell_lost(const struct etl_state *etl, struct capture_facts *facts)
{
    facts->dropped_by_machine = etl->pktmon.dropped;
    facts->dropped_known = etl->packets > 0 && etl->header.closed;
    facts->dropped_by_capture = facts->dropped_known ? etl->header.events_lost : 0;
}

/* Where packets are to be kept. */
static bool look(struct etl_state *etl, struct error *error)
{
    struct etl_events events;
    bool more = true;
    etl_events_open(&events, etl->window, &etl->buffers, NULL);
    for (const struct etl_event *event; more && (event = etl_events_next(&events)) != NULL;) {
        if (event->provider == ETL_PKTMON)
            more = pktmon_look(&etl->pktmon, event);
        else if (event->provider == ETL_NDIS)
            more = ndis_look(&etl->ndis, event);
    }
    pktmon_looked(&etl->pktmon);
    bool read = !events.error.text[0];
    if (!read)
        error_set(error, "%s", events.error.text);
    etl_events_close(&events);
    return read;
}

static bool etl_open(void *state, struct window *window, struct capture_facts *facts, struct error *error)
{
    struct etl_state *etl = state;
    uint8_t head[ETL_HEAD_MOST];
    size_t size;
    etl->window = window;
    if (!window_read_at(window, 0, head, sizeof head, &size, error) ||
        !etl_header_read(&etl->header, (struct span){head, size}, error) ||
        !etl_buffers_find(&etl->buffers, window, &etl->header, &facts->notes, error) || !look(etl, error)) {
        etl_buffers_close(&etl->buffers);
        return false;
    }
    note_head(etl, facts);
    facts->counts_passed_over = true;
    etl_events_open(&etl->events, window, &etl->buffers, &facts->notes);
    return true;
}

static void note_elsewhere(const struct etl_state *etl, struct notes *notes)
{
    uint64_t elsewhere = etl->pktmon.elsewhere + etl->ndis.elsewhere;
    if (elsewhere > 0)
        notes_add(notes, "packets elsewhere",
                  "%llu of %u records show a packet at another place of the network stack; they are passed over, and "
                  "counted by frame numbers",
                  (unsigned long long)elsewhere, etl->packets);
    if (etl->ndis.torn > 0)
        notes_add(notes, "packets torn", "%llu packets are split over several events, of which some are missing",
                  (unsigned long long)etl->ndis.torn);
    if (etl->pktmon.headless > 0)
        notes_add(notes, "packets without headers", "%llu packets were recorded without the header of IP",
                  (unsigned long long)etl->pktmon.headless);
}

static void note_drops(const struct pktmon *pktmon, struct notes *notes)
{
    const struct pktmon_drop *most = &pktmon->drops[0];
    for (unsigned i = 1; i < PKTMON_DROP_REASONS; i++)
        most = pktmon->drops[i].count > most->count ? &pktmon->drops[i] : most;
    const char *means = pktmon_reason(most->reason);
    if (pktmon->dropped > 0)
        notes_add(notes, "packets dropped by Windows",
                  "Packet Monitor saw %llu packets dropped on this machine, %llu of them for reason %u%s%s",
                  (unsigned long long)pktmon->dropped, (unsigned long long)most->count, most->reason, means ? ": " : "",
                  means ? means : "");
}

/* Traces of other things look alike from outside, and pktmon may be told to count only. */
static void note_without_packets(const struct etl_state *etl, struct notes *notes)
{
    if (etl->packets > 0)
        return;
    if (etl->filtering > 0 || etl->ndis.switched > 0)
        notes_add(
            notes, "no packets",
            "the trace has packets of the filtering platform (%llu events) or of a virtual switch (%llu) only, "
            "which are not read; `netsh trace start capture=yes` or `pktmon start --capture` records those of the "
            "network card",
            (unsigned long long)etl->filtering, (unsigned long long)etl->ndis.switched);
    else
        notes_add(notes, "no packets",
                  "the trace holds no packets: it is of something else, or was started without capturing (`netsh trace "
                  "start capture=yes`, `pktmon start --capture`)");
}

static enum reader_result at_end(struct etl_state *etl, struct capture_facts *facts, struct error *error)
{
    tell_lost(etl, facts);
    note_elsewhere(etl, &facts->notes);
    note_drops(&etl->pktmon, &facts->notes);
    note_without_packets(etl, &facts->notes);
    if (!etl->events.error.text[0])
        return READER_END;
    error_set(error, "%s", etl->events.error.text);
    return READER_BROKEN;
}

static enum etl_reading read_packet(struct etl_state *etl, const struct etl_event *event, struct etl_packet *packet)
{
    if (event->provider == ETL_PKTMON)
        return pktmon_read(&etl->pktmon, event, packet);
    if (event->provider == ETL_NDIS)
        return ndis_read(&etl->ndis, event, packet);
    etl->filtering++;
    return ETL_NO_PACKET;
}

static void fill_frame(struct etl_state *etl, const struct etl_packet *packet, struct frame *frame)
{
    size_t size = packet->bytes.size;
    uint8_t *bytes = frame_room_take(&etl->room, etl->window, size);
    if (size > 0)
        memcpy(bytes, packet->bytes.data, size);
    if (packet->link_type == LINKTYPE_WLAN)
        decrypted_wlan_clear(bytes, size);
    *frame =
        (struct frame){.moment = {.time_ns = etl_header_time_ns(&etl->header, packet->ticks), .frame = etl->packets},
                       .file_offset = packet->offset,
                       .bytes = {bytes, size},
                       .wire_length = packet->wire_length,
                       .link_type = packet->link_type,
                       .direction = packet->direction};
}

static enum reader_result etl_next(void *state, struct window *window, struct capture_facts *facts, struct frame *frame,
                                   struct error *error)
{
    struct etl_state *etl = state;
    struct etl_packet packet;
    for (const struct etl_event *event; (event = etl_events_next(&etl->events)) != NULL;) {
        enum etl_reading reading = read_packet(etl, event, &packet);
        etl->packets += reading != ETL_NO_PACKET;
        if (reading != ETL_PACKET)
            continue;
        fill_frame(etl, &packet, frame);
        window->offset = etl->events.consumed;
        return READER_FRAME;
    }
    return at_end(etl, facts, error);
}

static void etl_close(void *state)
{
    struct etl_state *etl = state;
    if (etl->window)
        frame_room_close(&etl->room, etl->window);
    etl_events_close(&etl->events);
    etl_buffers_close(&etl->buffers);
    pktmon_close(&etl->pktmon);
    ndis_close(&etl->ndis);
}

const struct capture_reader reader_etl = {
    .name = "etl",
    .state_size = sizeof(struct etl_state),
    .jumps = true,
    .recognises = etl_recognises,
    .open = etl_open,
    .next = etl_next,
    .close = etl_close,
};
