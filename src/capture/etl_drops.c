/* Dropped packets of a trace. */
#include "etl_drops.h"

#include "etl_pktmon.h"
#include "memory.h"
#include "os_file.h"

struct etl_drops {
    struct os_file *file;
    struct window window;
    struct etl_header header;
    struct etl_buffers buffers;
    struct etl_events events;
    struct notes notes; /* the reader of its packets tells them */
    uint32_t count;
};

static bool open_trace(struct etl_drops *drops, struct error *error)
{
    uint8_t head[ETL_HEAD_MOST];
    size_t size;
    return window_read_at(&drops->window, 0, head, sizeof head, &size, error) &&
           etl_header_read(&drops->header, (struct span){head, size}, error) &&
           etl_buffers_find(&drops->buffers, &drops->window, &drops->header, &drops->notes, error);
}

struct etl_drops *etl_drops_open(const char *path, struct error *error)
{
    struct os_file *file = os_file_open(path, error);
    if (!file)
        return NULL;
    struct etl_drops *drops = memory_take(sizeof *drops);
    drops->file = file;
    window_open(&drops->window, file);
    if (!open_trace(drops, error)) {
        etl_drops_close(drops);
        return NULL;
    }
    etl_events_open(&drops->events, &drops->window, &drops->buffers, NULL);
    return drops;
}

bool etl_drops_next(struct etl_drops *drops, struct etl_drop *drop)
{
    struct pktmon_dropped dropped;
    for (const struct etl_event *event; (event = etl_events_next(&drops->events)) != NULL;) {
        if (event->provider != ETL_PKTMON || !pktmon_read_drop(event, &dropped))
            continue;
        const struct etl_packet *packet = &dropped.packet;
        *drop = (struct etl_drop){
            .frame = {.moment = {.time_ns = etl_header_time_ns(&drops->header, packet->ticks), .frame = ++drops->count},
                      .file_offset = packet->offset,
                      .bytes = packet->bytes,
                      .wire_length = packet->wire_length,
                      .link_type = packet->link_type,
                      .direction = packet->direction},
            .reason = dropped.reason,
            .means = pktmon_reason(dropped.reason),
            .by_filter = dropped.by_filter};
        return true;
    }
    return false;
}

void etl_drops_close(struct etl_drops *drops)
{
    etl_events_close(&drops->events);
    etl_buffers_close(&drops->buffers);
    notes_close(&drops->notes);
    window_close(&drops->window);
    os_file_close(drops->file);
    memory_give(drops);
}
