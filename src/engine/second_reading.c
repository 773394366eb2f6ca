/*
 * The second reading.
 *
 * Theory of operation. A connection is known again by the capture and frame of its first packet, so that a port used twice is two
 * connections here as it was the first time; the flow floor tells them apart, and copies that a capture recorded twice, the same way
 * as then. It follows the chosen connections only, into a casebook of its own that nobody reads. The captures of both
 * ends advance together by the client's clock, so that each comparator holds only what may be under way.
 */
#include "second_reading.h"

#include <string.h>

#include "capture_chain.h"
#include "ceilings.h"
#include "clock_estimate.h"
#include "comparison_choice.h"
#include "flow_table.h"
#include "memory.h"
#include "packet_decoder.h"

/* Healthy connections that are compared, too, to measure the clocks: the first so many, and one of so many after. */
enum { SAMPLE_FIRST = 32, SAMPLE_EVERY = 64 };

/* A connection under comparison. */
struct compared {
    struct comparator comparator;
    const struct conversation *views[SIDES]; /* in the capture at the client, at the server */
    uint32_t duplicates[SIDES];              /* that the flow floor had counted before the packet under way */
    bool over[SIDES]; /* its last packet was read there */
    bool open;
};

/* The capture of one end, being read again. */
struct reread_end {
    struct second_reading *reading;
    enum side at;
    struct capture_chain chain;
    struct packet_decoder decoder;
    struct casebook casebook;
    struct flow_table flows;
    uint32_t *compared_of; /* by id of the conversation in casebook, minus 1: number + 1; 0: not known yet */
    uint32_t compared_capacity;
    const struct frame *frame; /* the next one; NULL: there is none */
};

struct second_reading {
    struct casebook *casebook;
    const struct second_reading_options *options;
    struct compared *compared;
    uint32_t count, capacity;
    struct hash_index by_first; /* of both views: capture and frame of the first packet */
    struct hash_index by_ends;  /* of both views: addresses and ports */
    struct clock_estimate estimate;
    uint32_t points[SIDES];
};

static uint32_t hash_first(uint32_t capture, uint32_t frame)
{
    uint32_t key[2] = {capture, frame};
    return hash_bytes(key, sizeof key);
}

static uint32_t hash_end(const struct endpoint *end)
{
    uint8_t key[19] = {end->address.version};
    memcpy(key + 1, end->address.bytes, sizeof end->address.bytes);
    key[17] = (uint8_t)end->port;
    key[18] = (uint8_t)(end->port >> 8);
    return hash_bytes(key, sizeof key);
}

/* The same for both directions. */
static uint32_t hash_both(const struct endpoint *a, const struct endpoint *b)
{
    return hash_end(a) ^ hash_end(b);
}

static void choose(struct second_reading *reading, struct conversation *client, const struct conversation *server)
{
    if (reading->count == reading->capacity) {
        reading->capacity = reading->capacity ? reading->capacity * 2 : 64;
        reading->compared = memory_grow(reading->compared, reading->capacity, sizeof *reading->compared);
    }
    uint32_t number = reading->count++;
    struct compared *compared = &reading->compared[number];
    *compared = (struct compared){.views = {client, server}, .open = true};
    client->comparison = casebook_add_comparison(reading->casebook);
    for (enum side at = SIDE_CLIENT; at < SIDES; at++) {
        const struct conversation *view = compared->views[at];
        hash_index_add(&reading->by_first, hash_first(view->first.capture, view->first.frame), 2 * number + at);
        hash_index_add(&reading->by_ends, hash_both(&view->ends[SIDE_CLIENT], &view->ends[SIDE_SERVER]),
                       2 * number + at);
    }
}

static void choose_connections(struct second_reading *reading)
{
    struct casebook *casebook = reading->casebook;
    uint32_t healthy = 0;
    for (uint32_t i = 0; i < casebook_conversations(casebook) && reading->count < LIMIT_COMPARED; i++) {
        struct conversation *c = casebook_conversation(casebook, i);
        if (!c->twin || c->secondary)
            continue;
        const struct conversation *twin = casebook_conversation(casebook, c->twin - 1);
        if (comparison_is_worth(c, twin) || c->id == reading->options->observed || healthy < SAMPLE_FIRST ||
            healthy % SAMPLE_EVERY == 0)
            choose(reading, c, twin);
        else
            healthy++;
    }
}

/* Their addresses are settled now: the list does not grow any more. */
static void open_comparators(struct second_reading *reading)
{
    const struct casebook *casebook = reading->casebook;
    for (uint32_t i = 0; i < reading->count; i++) {
        struct compared *compared = &reading->compared[i];
        const struct conversation *client = compared->views[SIDE_CLIENT];
        comparator_open(&compared->comparator, client->comparison, client, compared->views[SIDE_SERVER],
                        &casebook->clock);
        compared->comparator.estimate = &reading->estimate;
        for (enum side at = SIDE_CLIENT; at < SIDES; at++) {
            const struct point_facts *point = &casebook->points[reading->points[at]];
            compared->comparator.coverage[at] = (struct coverage){point->first_ns, point->last_ns};
            if (at == SIDE_SERVER)
                compared->comparator.coverage[at] =
                    (struct coverage){clock_to_client(&casebook->clock, point->first_ns),
                                      clock_to_client(&casebook->clock, point->last_ns)};
        }
        if (client->id == reading->options->observed) {
            compared->comparator.observe = reading->options->observe;
            compared->comparator.observe_context = reading->options->observe_context;
        }
    }
}

static bool is_chosen(const struct second_reading *reading, enum side at, const struct packet *p)
{
    struct hash_probe probe = hash_index_probe(&reading->by_ends, hash_both(&p->source, &p->destination));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        if (n % SIDES != at)
            continue;
        const struct conversation *view = reading->compared[n / SIDES].views[at];
        const struct endpoint *client = &view->ends[SIDE_CLIENT], *server = &view->ends[SIDE_SERVER];
        if ((endpoint_equal(client, &p->source) && endpoint_equal(server, &p->destination)) ||
            (endpoint_equal(client, &p->destination) && endpoint_equal(server, &p->source)))
            return true;
    }
    return false;
}

static uint32_t begun_here(const struct second_reading *reading, enum side at, const struct moment *moment)
{
    struct hash_probe probe = hash_index_probe(&reading->by_first, hash_first(moment->capture, moment->frame));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct moment *first = &reading->compared[n / SIDES].views[at]->first;
        if (n % SIDES == at && first->capture == moment->capture && first->frame == moment->frame)
            return n / SIDES;
    }
    return HASH_NONE;
}

static struct compared *compared_of(struct reread_end *end, const struct conversation *c, const struct packet *p)
{
    if (c->id > end->compared_capacity) {
        uint32_t before = end->compared_capacity;
        end->compared_capacity = c->id * 2;
        end->compared_of = memory_grow(end->compared_of, end->compared_capacity, sizeof *end->compared_of);
        memset(end->compared_of + before, 0, (end->compared_capacity - before) * sizeof *end->compared_of);
    }
    uint32_t *number = &end->compared_of[c->id - 1];
    if (*number == 0) {
        uint32_t begun = begun_here(end->reading, end->at, &p->moment);
        if (begun == HASH_NONE)
            return NULL;
        *number = begun + 1;
    }
    return &end->reading->compared[*number - 1];
}

static void close_compared(struct compared *compared)
{
    if (compared->open)
        comparator_close(&compared->comparator);
    compared->open = false;
}

static void see(void *context, const struct conversation *c, const struct packet *p)
{
    struct reread_end *end = context;
    if (p->kind != PACKET_TCP)
        return;
    struct compared *compared = compared_of(end, c, p);
    if (!compared || !compared->open)
        return;
    uint32_t duplicates = c->sides[SIDE_CLIENT].capture_duplicates + c->sides[SIDE_SERVER].capture_duplicates;
    bool again = duplicates > compared->duplicates[end->at];
    compared->duplicates[end->at] = duplicates;
    bool by_client = endpoint_equal(&compared->views[end->at]->ends[SIDE_CLIENT], &p->source);
    comparator_add(&compared->comparator, end->at, by_client ? SIDE_CLIENT : SIDE_SERVER, p, again);
    const struct moment *last = &compared->views[end->at]->last;
    if (p->moment.frame == last->frame && p->moment.capture == last->capture)
        compared->over[end->at] = true;
    if (compared->over[SIDE_CLIENT] && compared->over[SIDE_SERVER])
        close_compared(compared);
}

/* The flow floor follows; no protocol listens. */
static void ignore_data(void *context, struct stream *stream, enum side side, struct span bytes,
                        const struct moment *at)
{
    (void)context, (void)stream, (void)side, (void)bytes, (void)at;
}
static void ignore_gap(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at)
{
    (void)context, (void)stream, (void)side, (void)size, (void)at;
}
static void ignore_end(void *context, struct stream *stream, enum side side, const struct moment *at)
{
    (void)context, (void)stream, (void)side, (void)at;
}
static void ignore_exchange(void *context, struct stream *stream)
{
    (void)context, (void)stream;
}
static const struct stream_consumer nobody = {
    .data = ignore_data, .gap = ignore_gap, .end = ignore_end, .sides_exchanged = ignore_exchange};

static void advance(struct reread_end *end)
{
    end->frame = capture_chain_next(&end->chain);
}

/* A file that is gone or changed since the first reading ends this one early; what was compared until then stands. */
static void open_end(struct reread_end *end, struct second_reading *reading, enum side at)
{
    const struct casebook *first = reading->casebook;
    *end = (struct reread_end){.reading = reading, .at = at};
    capture_chain_open(&end->chain);
    packet_decoder_open(&end->decoder);
    casebook_open(&end->casebook);
    end->casebook.captures = memory_take_array(first->capture_count, sizeof *end->casebook.captures);
    end->casebook.capture_count = first->capture_count;
    flow_table_open(&end->flows, &end->casebook, &nobody);
    end->flows.ceiling = LIMIT_LIVE_CONVERSATIONS;
    end->flows.observe = see;
    end->flows.observe_context = end;
    struct error error;
    for (uint32_t i = 0; i < first->capture_count; i++)
        if (first->captures[i].point == reading->points[at] && !first->captures[i].failed)
            capture_chain_add(&end->chain, first->captures[i].file, i, &end->casebook.captures[i], &error);
    advance(end);
}

static void close_end(struct reread_end *end)
{
    flow_table_close(&end->flows);
    packet_decoder_close(&end->decoder);
    capture_chain_close(&end->chain);
    casebook_close(&end->casebook);
    memory_give(end->compared_of);
}

static void read_frame(struct reread_end *end)
{
    struct packet packet;
    packet_decode(&end->decoder, end->frame, &end->casebook.captures[end->frame->moment.capture], &packet);
    if (packet.kind == PACKET_TCP && is_chosen(end->reading, end->at, &packet))
        flow_table_packet(&end->flows, &packet);
    advance(end);
}

static void tell_progress(const struct second_reading_options *options, const struct reread_end ends[static SIDES])
{
    uint64_t done_bytes = 0, all_bytes = 0;
    for (enum side at = SIDE_CLIENT; at < SIDES; at++) {
        uint64_t consumed, total;
        capture_chain_progress(&ends[at].chain, &consumed, &total);
        done_bytes += consumed;
        all_bytes += total;
    }
    if (options->progress)
        options->progress(options->progress_context, done_bytes, all_bytes);
}

static void read_side_by_side(struct second_reading *reading)
{
    struct reread_end ends[SIDES];
    const struct clock_facts *clock = &reading->casebook->clock;
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        open_end(&ends[at], reading, at);
    uint32_t until_progress = LIMIT_PROGRESS_PACKETS;
    while (ends[SIDE_CLIENT].frame || ends[SIDE_SERVER].frame) {
        bool client = ends[SIDE_CLIENT].frame &&
                      (!ends[SIDE_SERVER].frame || ends[SIDE_CLIENT].frame->moment.time_ns <=
                                                       clock_to_client(clock, ends[SIDE_SERVER].frame->moment.time_ns));
        read_frame(&ends[client ? SIDE_CLIENT : SIDE_SERVER]);
        if (--until_progress == 0) {
            until_progress = LIMIT_PROGRESS_PACKETS;
            tell_progress(reading->options, ends);
        }
    }
    for (uint32_t i = 0; i < reading->count; i++)
        close_compared(&reading->compared[i]);
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        close_end(&ends[at]);
}

/* How poor each of the two captures is, over all connections that were compared. */
static void count_missed(struct second_reading *reading)
{
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct comparison *comparison = reading->compared[i].views[SIDE_CLIENT]->comparison;
        for (enum side at = SIDE_CLIENT; at < SIDES; at++) {
            const struct passage *own = &comparison->passages[at], *others = &comparison->passages[side_other(at)];
            struct point_facts *point = &reading->casebook->points[reading->points[at]];
            uint64_t missed = (uint64_t)own->unsent + others->missed;
            point->compared += missed + own->arrived + others->arrived;
            point->missed += missed;
        }
    }
}

static bool can_read_again(struct casebook *casebook, const uint32_t points[static SIDES])
{
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        struct capture_facts *capture = &casebook->captures[i];
        if (!capture->only_once || (capture->point != points[SIDE_CLIENT] && capture->point != points[SIDE_SERVER]))
            continue;
        notes_add(&capture->notes, "read once",
                  "it came through a pipe and could be read only once, so its packets were not compared one by one "
                  "with the other end's: save it to a file first");
        return false;
    }
    return true;
}

void second_reading_run(struct casebook *casebook, const struct second_reading_options *options)
{
    struct second_reading reading = {.casebook = casebook, .options = options};
    reading.points[SIDE_CLIENT] = casebook_only_point(casebook, CAPTURE_ROLE_CLIENT);
    reading.points[SIDE_SERVER] = casebook_only_point(casebook, CAPTURE_ROLE_SERVER);
    if (reading.points[SIDE_CLIENT] == NO_POINT || reading.points[SIDE_SERVER] == NO_POINT || !casebook->clock.known ||
        casebook->secondary_count == 0 || !can_read_again(casebook, reading.points))
        return;
    const struct point_facts *client = &casebook->points[reading.points[SIDE_CLIENT]];
    clock_estimate_open(&reading.estimate, client->first_ns, client->last_ns);
    hash_index_open(&reading.by_first);
    hash_index_open(&reading.by_ends);
    choose_connections(&reading);
    open_comparators(&reading);
    read_side_by_side(&reading);
    count_missed(&reading);
    struct clock_facts clock = clock_estimate_result(&reading.estimate);
    if (clock.known && clock.uncertainty_ns < casebook->clock.uncertainty_ns)
        casebook->clock = clock;
    hash_index_close(&reading.by_first);
    hash_index_close(&reading.by_ends);
    memory_give(reading.compared);
}
