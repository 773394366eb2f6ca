/* One capture point: each packet is followed, or handed to its protocol. */
#include "capture_point.h"

#include "ceilings.h"
#include "ip.h"
#include "memory.h"

/* Live conversations may take half of what is given. */
enum { LIVE_BYTES = 4096, FIXED_BYTES = 24 * 1024 * 1024 };

static void limit_memory(struct point_run *run, const struct analysis *analysis)
{
    uint64_t most = analysis->memory_bytes / 2 / LIVE_BYTES;
    if (most < run->flows.ceiling)
        run->flows.ceiling = (uint32_t)most;
    run->memory_bytes = analysis->may_fold ? analysis->memory_bytes : 0;
}

/* Folds an eighth more than is needed, so that it is seldom done. */
static void keep_within_memory(struct point_run *run)
{
    struct conversation_store *store = run->casebook->conversations;
    run->until_memory = LIMIT_MEMORY_PACKETS;
    uint64_t bytes = FIXED_BYTES + conversation_store_bytes(store) + flow_table_bytes(&run->flows) +
                     run->casebook->texts.taken_bytes + text_pool_bytes(&run->casebook->names);
    if (bytes <= run->memory_bytes)
        return;
    uint32_t *moved = conversation_store_fold(store, bytes - run->memory_bytes + run->memory_bytes / 8);
    if (moved)
        flow_table_renumber(&run->flows, moved);
    else
        run->memory_bytes = bytes + bytes / 8;
    memory_give(moved);
}

void point_run_open(struct point_run *run, struct analysis *analysis, uint32_t point)
{
    *run = (struct point_run){.casebook = &analysis->casebook, .point = point};
    run->tds = (struct tds_options){.server_port = analysis->casebook.server_port, .servers = &run->servers};
    point_clock_open(&run->clock, &analysis->set_clocks, point);
    packet_decoder_open(&run->decoder);
    protocols_open(&run->protocols, run->casebook, point, &run->tds);
    struct stream_consumer consumer = protocols_consumer(&run->protocols);
    flow_table_open(&run->flows, run->casebook, &consumer);
    run->flows.point = point;
    run->flows.server_port = analysis->casebook.server_port;
    run->flows.ceiling = LIMIT_LIVE_CONVERSATIONS;
    run->until_memory = LIMIT_MEMORY_PACKETS;
    if (analysis->set_clocks.count > 0)
        run->told = memory_take_array(run->casebook->capture_count, sizeof *run->told);
    if (analysis->memory_bytes > 0)
        limit_memory(run, analysis);
    if (analysis->watching) {
        run->flows.observe = packet_watch_see;
        run->flows.observe_context = &analysis->watch;
    }
}

static void hand_on_datagram(struct point_run *run, const struct packet *packet)
{
    struct datagram datagram = {.source = packet->source,
                                .destination = packet->destination,
                                .payload = packet->payload,
                                .length = packet->payload_length,
                                .at = packet->moment};
    protocols_datagram(&run->protocols, &datagram);
}

static void hand_on_refusal(struct point_run *run, const struct packet *packet)
{
    const struct icmp_error *icmp = &packet->icmp;
    struct datagram_refusal refusal = {.source = packet->source,
                                       .destination = packet->destination,
                                       .icmp = {.count = 1,
                                                .first = packet->moment,
                                                .version = icmp->version,
                                                .type = icmp->type,
                                                .code = icmp->code,
                                                .reporter = icmp->reporter}};
    protocols_refused(&run->protocols, &refusal);
}

static void extend(struct told_span *span, int64_t time_ns)
{
    if (!span->known || time_ns < span->first_ns)
        span->first_ns = time_ns;
    if (!span->known || time_ns > span->last_ns)
        span->last_ns = time_ns;
    span->known = true;
}

void point_run_packet(struct point_run *run, const struct packet *packet)
{
    if (run->told)
        extend(&run->told[packet->moment.capture], packet->moment.time_ns);
    struct point_facts *point = &run->casebook->points[run->point];
    if (!point->has_packets || packet->moment.time_ns < point->first_ns)
        point->first_ns = packet->moment.time_ns;
    if (!point->has_packets || packet->moment.time_ns > point->last_ns)
        point->last_ns = packet->moment.time_ns;
    point->has_packets = true;
    if (packet->kind == PACKET_UDP)
        hand_on_datagram(run, packet);
    else if (packet->kind == PACKET_ICMP_ERROR && packet->icmp.protocol == IP_PROTOCOL_UDP)
        hand_on_refusal(run, packet);
    else
        flow_table_packet(&run->flows, packet);
    if (run->memory_bytes > 0 && --run->until_memory == 0)
        keep_within_memory(run);
}

static void note_ceilings(const struct point_run *run, struct notes *notes)
{
    if (run->flows.evicted > 0)
        notes_add(notes, "conversation ceiling",
                  "more than %u conversations were open at once: %llu were concluded before their end",
                  (unsigned)run->flows.ceiling, (unsigned long long)run->flows.evicted);
    uint64_t folded = run->casebook->conversations->folded;
    if (folded > 0)
        notes_add(
            notes, "memory ceiling",
            "memory was limited: %llu healthy conversations that were over are not listed and not counted any more",
            (unsigned long long)folded);
}

void point_run_close(struct point_run *run)
{
    flow_table_close(&run->flows);
    protocols_close(&run->protocols);
    packet_decoder_close(&run->decoder);
    for (uint32_t i = 0; i < run->casebook->capture_count; i++) {
        struct capture_facts *facts = &run->casebook->captures[i];
        if (facts->point != run->point)
            continue;
        note_ceilings(run, &facts->notes);
        if (run->told && run->told[i].known) {
            facts->first_ns = run->told[i].first_ns;
            facts->last_ns = run->told[i].last_ns;
        }
    }
    memory_give(run->told);
}
