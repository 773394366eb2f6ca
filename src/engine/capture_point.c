/* One capture point: each packet is followed, or handed to its protocol. */
#include "capture_point.h"

#include "ceilings.h"
#include "count_words.h"
#include "ip.h"
#include "memory.h"
#include "name_waits.h"

/* With limited memory live conversations may take half of it: a quarter those that are awake, a quarter all others. */
enum { AWAKE_BYTES = 5120, ASLEEP_BYTES = 640, FIXED_BYTES = 28 * 1024 * 1024 };

/* Connections of servers on other ports are all of the first shard: it may have half of what all may. */
static void set_ceilings(struct point_run *run)
{
    run->shards[0].flows.ceiling = LIMIT_LIVE_CONVERSATIONS / 2;
    run->shards[0].flows.awake_most = LIMIT_AWAKE_CONVERSATIONS / 2;
    for (unsigned i = 1; i < SHARDS; i++) {
        run->shards[i].flows.ceiling = LIMIT_LIVE_CONVERSATIONS / 2 / (SHARDS - 1);
        run->shards[i].flows.awake_most = LIMIT_AWAKE_CONVERSATIONS / 2 / (SHARDS - 1);
    }
}

static uint32_t lesser(uint64_t number, uint32_t most)
{
    return number < most ? (uint32_t)number : most;
}

static void limit_memory(struct point_run *run, const struct analysis *analysis)
{
    struct flow_table *flows = &run->shards[0].flows;
    run->memory_limited = true;
    flows->ceiling = lesser(analysis->memory_bytes / 4 / ASLEEP_BYTES, LIMIT_LIVE_CONVERSATIONS);
    flows->awake_most = lesser(analysis->memory_bytes / 4 / AWAKE_BYTES, LIMIT_AWAKE_CONVERSATIONS);
    run->memory_bytes = analysis->may_fold ? analysis->memory_bytes : 0;
    run->until_memory = LIMIT_MEMORY_PACKETS;
}

static uint64_t bytes_taken(const struct point_run *run)
{
    uint64_t bytes = FIXED_BYTES + conversation_store_bytes(run->casebook->conversations) +
                     run->casebook->texts.taken_bytes + text_pool_bytes(&run->casebook->names);
    for (unsigned i = 0; i < SHARDS; i++)
        bytes += flow_table_bytes(&run->shards[i].flows);
    return bytes;
}

/* A connection before which the client waited for its server's name looks healthy itself, and is none to forget. */
static uint32_t *fold(struct casebook *casebook, uint64_t bytes)
{
    const struct conversation_keeper keeper = {.keeps = name_waits_concern, .context = casebook};
    if (casebook->name_lookups.in_use == 0)
        return conversation_store_fold(casebook->conversations, bytes, NULL);
    joins_open(&casebook->joins, casebook);
    uint32_t *moved = conversation_store_fold(casebook->conversations, bytes, &keeper);
    joins_close(&casebook->joins);
    return moved;
}

/* Folds an eighth more than is needed, so that it is seldom done. */
static void keep_within_memory(struct point_run *run)
{
    run->until_memory = LIMIT_MEMORY_PACKETS;
    uint64_t bytes = bytes_taken(run);
    if (bytes <= run->memory_bytes)
        return;
    uint32_t *moved = fold(run->casebook, bytes - run->memory_bytes + run->memory_bytes / 8);
    for (unsigned i = 0; moved && i < SHARDS; i++)
        flow_table_renumber(&run->shards[i].flows, moved);
    if (!moved)
        run->memory_bytes = bytes + bytes / 8;
    memory_give(moved);
}

static void open_shard(struct point_run *run, uint8_t number, struct analysis *analysis, struct casebook *casebook)
{
    struct point_shard *shard = &run->shards[number];
    uint16_t server_port = analysis->casebook.server_port;
    shard->casebook = casebook;
    shard->tds = (struct tds_options){.server_port = server_port, .servers = &shard->servers, .certificates = number};
    protocols_open(&shard->protocols, casebook, run->point, &shard->tds);
    struct stream_consumer consumer = protocols_consumer(&shard->protocols);
    flow_table_open(&shard->flows, casebook, &consumer);
    shard->flows.point = run->point;
    shard->flows.traced = !analysis->may_fold;
    shard->flows.server_port = server_port;
    if (analysis->watching) {
        shard->flows.observe = packet_watch_see;
        shard->flows.observe_context = &analysis->watch;
    }
}

void point_run_open(struct point_run *run, struct analysis *analysis, const struct followers *followers, uint32_t point)
{
    *run = (struct point_run){.casebook = &analysis->casebook, .point = point};
    point_clock_open(&run->clock, &analysis->set_clocks, point);
    for (unsigned i = 0; i < SHARDS; i++)
        packet_decoder_open(&run->decoders[i]);
    run->shards = memory_take_array(SHARDS, sizeof *run->shards);
    for (uint8_t i = 0; i < SHARDS; i++)
        open_shard(run, i, analysis, followers_casebook(followers, i));
    set_ceilings(run);
    if (analysis->memory_bytes > 0)
        limit_memory(run, analysis);
}

static void hand_on_datagram(struct point_shard *shard, const struct packet *packet)
{
    struct datagram datagram = {.source = packet->source,
                                .destination = packet->destination,
                                .payload = packet->payload,
                                .length = packet->payload_length,
                                .at = packet->moment};
    protocols_datagram(&shard->protocols, &datagram);
}

static void hand_on_refusal(struct point_shard *shard, const struct packet *packet)
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
    protocols_refused(&shard->protocols, &refusal);
}

void point_run_packet(struct point_run *run, const struct fed_packet *fed)
{
    struct point_shard *shard = &run->shards[fed->shard];
    const struct packet *packet = &fed->packet;
    if (run->memory_bytes > 0 && --run->until_memory == 0)
        keep_within_memory(run);
    conversation_store_count(shard->casebook->conversations, (uint64_t)run->turn << 32 | fed->number);
    if (packet->kind == PACKET_UDP)
        hand_on_datagram(shard, packet);
    else if (packet->kind == PACKET_ICMP_ERROR && packet->icmp.protocol == IP_PROTOCOL_UDP)
        hand_on_refusal(shard, packet);
    else
        flow_table_packet(&shard->flows, packet);
}

static void note_ceilings(const struct point_run *run, uint64_t evicted, struct notes *notes)
{
    if (evicted > 0)
        notes_add(notes, "conversation ceiling",
                  "more conversations were open at once than are followed: %llu %s concluded before the end",
                  (unsigned long long)evicted, evicted == 1 ? "was" : "were");
    uint64_t folded = run->casebook->conversations->folded;
    if (folded > 0)
        notes_add(notes, "memory ceiling",
                  "memory was limited: %s that %s over%s %s not listed and not counted any more",
                  count_words(folded, "healthy conversation").text, folded == 1 ? "was" : "were",
                  evicted > 0 ? " or followed no further" : "", folded == 1 ? "is" : "are");
}

void point_run_close(struct point_run *run)
{
    uint64_t evicted = 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        struct point_shard *shard = &run->shards[i];
        evicted += shard->flows.evicted;
        flow_table_close(&shard->flows);
        protocols_close(&shard->protocols);
    }
    for (unsigned i = 0; i < SHARDS; i++)
        packet_decoder_close(&run->decoders[i]);
    for (uint32_t i = 0; i < run->casebook->capture_count; i++) {
        struct capture_facts *capture = &run->casebook->captures[i];
        if (capture->point != run->point)
            continue;
        notes_append(&capture->notes, &capture->followed);
        note_ceilings(run, evicted, &capture->notes);
    }
    memory_give(run->shards);
}
