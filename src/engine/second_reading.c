/*
 * The second reading.
 *
 * Theory of operation. A connection is known again by the capture and frame of its first packet, so that a port used twice is two
 * connections here as it was the first time; the flow floor tells them apart, and copies that a capture recorded twice, the same way
 * as then. It follows the chosen connections only, into a casebook of its own that nobody reads. All captures
 * advance together by the common clock, so that each comparator holds only what may be under way. A connection that more than two
 * captures have is compared from end to end, and between each two that are next to each other.
 */
#include "second_reading.h"

#include <string.h>

#include "bytes_in_flight.h"
#include "capture_chain.h"
#include "ceilings.h"
#include "clock_estimate.h"
#include "comparison_choice.h"
#include "flow_table.h"
#include "memory.h"
#include "packet_decoder.h"
#include "path_clocks.h"

/* Healthy connections that are compared, too, to measure the clocks: the first so many, and one of so many after. */
enum { SAMPLE_FIRST = 32, SAMPLE_EVERY = 64 };

/* Two captures of a connection under comparison. */
struct compared {
    struct comparator comparator;
    struct comparison *comparison;
    struct point_pair *pair;
    const struct conversation *views[SIDES]; /* at the near and at the far point */
    uint32_t duplicates[SIDES];              /* that the flow floor had counted before the packet under way */
    bool over[SIDES];                        /* its last packet was read there */
    bool open;
};

/* One view of a connection under comparison: a compared one, and at which of its two ends. */
struct compared_view {
    uint32_t compared;
    enum side at;
    uint32_t next; /* another comparison of the same view; HASH_NONE: there is none */
};

/* A capture point, being read again. */
struct reread_point {
    struct second_reading *reading;
    uint32_t point;
    struct capture_chain chain;
    struct packet_decoder decoder;
    struct casebook casebook;
    struct flow_table flows;
    uint32_t
        *view_of; /* by id of the conversation in casebook, minus 1: number of its first view + 1; 0: not known yet */
    uint32_t view_capacity;
    struct point_clock clock;
    struct frame told; /* the next one */
    bool has_frame;    /* there is one */
    int64_t frame_ns;  /* its time, on the common clock */
};

struct second_reading {
    struct casebook *casebook;
    const struct second_reading_options *options;
    struct compared *compared;
    struct compared_view *views;
    uint32_t count, capacity, view_count;
    struct hash_index
        by_first; /* of views, those that are next of another left out: capture and frame of the first packet */
    struct hash_index by_ends;        /* likewise: addresses and ports */
    struct clock_estimate *estimates; /* of each pair */
    struct reread_point *points;
    uint32_t point_count;
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

static const struct conversation *view_at(const struct second_reading *reading, uint32_t number)
{
    const struct compared_view *view = &reading->views[number];
    return reading->compared[view->compared].views[view->at];
}

/* The first view that is of the conversation which begins with this packet. */
static uint32_t begun_here(const struct second_reading *reading, const struct moment *moment)
{
    struct hash_probe probe = hash_index_probe(&reading->by_first, hash_first(moment->capture, moment->frame));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct moment *first = &view_at(reading, n)->first;
        if (first->capture == moment->capture && first->frame == moment->frame)
            return n;
    }
    return HASH_NONE;
}

static void add_view(struct second_reading *reading, uint32_t compared, enum side at)
{
    uint32_t number = reading->view_count++;
    const struct conversation *c = reading->compared[compared].views[at];
    uint32_t same = begun_here(reading, &c->first);
    reading->views[number] = (struct compared_view){compared, at, HASH_NONE};
    if (same != HASH_NONE) {
        reading->views[number].next = reading->views[same].next;
        reading->views[same].next = number;
        return;
    }
    hash_index_add(&reading->by_first, hash_first(c->first.capture, c->first.frame), number);
    hash_index_add(&reading->by_ends, hash_both(&c->ends[SIDE_CLIENT], &c->ends[SIDE_SERVER]), number);
}

static bool can_read_again(const struct casebook *casebook, uint32_t point)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].point == point && casebook->captures[i].only_once)
            return false;
    return true;
}

/* Sequence numbers tell packets apart, so their counting must be known to be the same in both, or by how much it differs. */
static bool can_be_compared(const struct second_reading *reading, const struct conversation *near,
                            const struct conversation *far)
{
    const struct point_pair *pair = point_pairs_find(&reading->casebook->pairs, near->point, far->point);
    if (!pair || !pair->clock.known || !can_read_again(reading->casebook, near->point) ||
        !can_read_again(reading->casebook, far->point))
        return false;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if ((!near->sides[side].isn_known || !far->sides[side].isn_known) &&
            !bytes_in_flight_may_agree(near, far, side))
            return false;
    return true;
}

static struct comparison *choose(struct second_reading *reading, const struct conversation *near,
                                 const struct conversation *far)
{
    if (!can_be_compared(reading, near, far))
        return NULL;
    if (reading->count == reading->capacity) {
        reading->capacity = reading->capacity ? reading->capacity * 2 : 64;
        reading->compared = memory_grow(reading->compared, reading->capacity, sizeof *reading->compared);
        reading->views = memory_grow(reading->views, (size_t)reading->capacity * SIDES, sizeof *reading->views);
    }
    near = casebook_hold_conversation(reading->casebook, near->id - 1);
    far = casebook_hold_conversation(reading->casebook, far->id - 1);
    uint32_t number = reading->count++;
    struct compared *compared = &reading->compared[number];
    *compared = (struct compared){.comparison = casebook_add_comparison(reading->casebook),
                                  .pair = point_pairs_find(&reading->casebook->pairs, near->point, far->point),
                                  .views = {near, far},
                                  .open = true};
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        add_view(reading, number, at);
    return compared->comparison;
}

/* The stretches of the way, where a capture stands between its ends. */
static void choose_stretches(struct second_reading *reading, struct conversation *c)
{
    while (c->next_view) {
        struct conversation *next = casebook_conversation(reading->casebook, c->next_view - 1);
        c->onward = choose(reading, c, next);
        c = next;
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
        bool worth = comparison_is_worth(c, twin) || c->id == reading->options->observed;
        if (!worth && healthy++ >= SAMPLE_FIRST && healthy % SAMPLE_EVERY != 0)
            continue;
        c->comparison = choose(reading, c, twin);
        if (worth && c->next_view != c->twin)
            choose_stretches(reading, c);
    }
}

static void observe(const struct second_reading *reading, struct compared *compared)
{
    const struct second_reading_options *options = reading->options;
    unsigned stretch = 0;
    if (!options->observe)
        return;
    const struct conversation *view = casebook_conversation(reading->casebook, options->observed - 1);
    if (compared->comparison != view->comparison)
        for (stretch = 1; view && compared->comparison != view->onward; stretch++)
            view = view->next_view ? casebook_conversation(reading->casebook, view->next_view - 1) : NULL;
    if (!view)
        return;
    compared->comparator.observe = options->observe;
    compared->comparator.observe_context = options->observe_context;
    compared->comparator.stretch = stretch;
}

/* Their addresses are settled now: the list does not grow any more. */
static void open_comparators(struct second_reading *reading)
{
    const struct casebook *casebook = reading->casebook;
    for (uint32_t i = 0; i < reading->count; i++) {
        struct compared *compared = &reading->compared[i];
        const struct clock_facts *clock = &compared->pair->clock;
        const struct point_facts *near = &casebook->points[compared->pair->near],
                                 *far = &casebook->points[compared->pair->far];
        comparator_open(&compared->comparator, compared->comparison, compared->views[SIDE_CLIENT],
                        compared->views[SIDE_SERVER], clock);
        compared->comparator.estimate = &reading->estimates[compared->pair - casebook->pairs.list];
        int64_t unsure_ns = clock->unsteady ? 2 * clock->uncertainty_ns : 0;
        compared->comparator.coverage[SIDE_CLIENT] =
            (struct coverage){near->first_ns + unsure_ns, near->last_ns - unsure_ns};
        compared->comparator.coverage[SIDE_SERVER] = (struct coverage){
            clock_to_client(clock, far->first_ns) + unsure_ns, clock_to_client(clock, far->last_ns) - unsure_ns};
        observe(reading, compared);
    }
}

static bool is_chosen(const struct reread_point *point, const struct packet *p)
{
    const struct second_reading *reading = point->reading;
    struct hash_probe probe = hash_index_probe(&reading->by_ends, hash_both(&p->source, &p->destination));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct conversation *view = view_at(reading, n);
        const struct endpoint *client = &view->ends[SIDE_CLIENT], *server = &view->ends[SIDE_SERVER];
        if (view->point == point->point &&
            ((endpoint_equal(client, &p->source) && endpoint_equal(server, &p->destination)) ||
             (endpoint_equal(client, &p->destination) && endpoint_equal(server, &p->source))))
            return true;
    }
    return false;
}

static uint32_t first_view_of(struct reread_point *point, const struct conversation *c, const struct packet *p)
{
    if (c->id > point->view_capacity) {
        uint32_t before = point->view_capacity;
        point->view_capacity = c->id * 2;
        point->view_of = memory_grow(point->view_of, point->view_capacity, sizeof *point->view_of);
        memset(point->view_of + before, 0, (point->view_capacity - before) * sizeof *point->view_of);
    }
    uint32_t *number = &point->view_of[c->id - 1];
    if (*number == 0) {
        uint32_t begun = begun_here(point->reading, &p->moment);
        if (begun == HASH_NONE)
            return HASH_NONE;
        *number = begun + 1;
    }
    return *number - 1;
}

static void close_compared(struct compared *compared)
{
    if (compared->open)
        comparator_close(&compared->comparator);
    compared->open = false;
}

static void compare_packet(struct compared *compared, enum side at, const struct conversation *c,
                           const struct packet *p)
{
    if (!compared->open)
        return;
    uint32_t duplicates = c->sides[SIDE_CLIENT].capture_duplicates + c->sides[SIDE_SERVER].capture_duplicates;
    bool again = duplicates > compared->duplicates[at];
    compared->duplicates[at] = duplicates;
    bool by_client = endpoint_equal(&compared->views[at]->ends[SIDE_CLIENT], &p->source);
    comparator_add(&compared->comparator, at, by_client ? SIDE_CLIENT : SIDE_SERVER, p, again);
    const struct moment *last = &compared->views[at]->last;
    if (p->moment.frame == last->frame && p->moment.capture == last->capture)
        compared->over[at] = true;
    if (compared->over[SIDE_CLIENT] && compared->over[SIDE_SERVER])
        close_compared(compared);
}

static void see(void *context, const struct conversation *c, const struct packet *p)
{
    struct reread_point *point = context;
    struct second_reading *reading = point->reading;
    if (p->kind != PACKET_TCP)
        return;
    for (uint32_t n = first_view_of(point, c, p); n != HASH_NONE; n = reading->views[n].next)
        compare_packet(&reading->compared[reading->views[n].compared], reading->views[n].at, c, p);
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

static void advance(struct reread_point *point)
{
    const struct frame *read = capture_chain_next(&point->chain);
    point->has_frame = read != NULL;
    if (!read)
        return;
    point_clock_follow(&point->clock, &read->moment);
    point->told = *read;
    point->told.moment.time_ns += point->clock.shift_ns;
    point->frame_ns = casebook_common_ns(point->reading->casebook, point->point, point->told.moment.time_ns);
}

/* A file that is gone or changed since the first reading ends this one early; what was compared until then stands. */
static void open_point(struct reread_point *point, struct second_reading *reading, uint32_t number)
{
    const struct casebook *first = reading->casebook;
    *point = (struct reread_point){.reading = reading, .point = number};
    capture_chain_open(&point->chain);
    point_clock_open(&point->clock, reading->options->set_clocks, number);
    packet_decoder_open(&point->decoder);
    casebook_open(&point->casebook);
    point->casebook.captures = memory_take_array(first->capture_count, sizeof *point->casebook.captures);
    point->casebook.capture_count = first->capture_count;
    flow_table_open(&point->flows, &point->casebook, &nobody);
    point->flows.ceiling = LIMIT_LIVE_CONVERSATIONS;
    point->flows.observe = see;
    point->flows.observe_context = point;
    struct error error;
    for (uint32_t i = 0; i < first->capture_count; i++)
        if (first->captures[i].point == number && !first->captures[i].failed)
            capture_chain_add(&point->chain, capture_facts_path(&first->captures[i]), i, &point->casebook.captures[i],
                              &error);
    advance(point);
}

static void close_point(struct reread_point *point)
{
    flow_table_close(&point->flows);
    packet_decoder_close(&point->decoder);
    capture_chain_close(&point->chain);
    casebook_close(&point->casebook);
    memory_give(point->view_of);
}

static void read_frame(struct reread_point *point)
{
    struct packet packet;
    packet_decode(&point->decoder, &point->told, &point->casebook.captures[point->told.moment.capture], &packet);
    if (packet.kind == PACKET_TCP && is_chosen(point, &packet))
        flow_table_packet(&point->flows, &packet);
    advance(point);
}

static void tell_progress(const struct second_reading *reading)
{
    uint64_t done_bytes = 0, all_bytes = 0;
    for (uint32_t i = 0; i < reading->point_count; i++) {
        uint64_t consumed, total;
        capture_chain_progress(&reading->points[i].chain, &consumed, &total);
        done_bytes += consumed;
        all_bytes += total;
    }
    if (reading->options->progress)
        reading->options->progress(reading->options->progress_context, done_bytes, all_bytes);
}

static struct reread_point *earliest(const struct second_reading *reading)
{
    struct reread_point *found = NULL;
    for (uint32_t i = 0; i < reading->point_count; i++) {
        struct reread_point *point = &reading->points[i];
        if (point->has_frame && (!found || point->frame_ns < found->frame_ns))
            found = point;
    }
    return found;
}

/* Only those that something is to be compared in. */
static void open_points(struct second_reading *reading)
{
    const struct casebook *casebook = reading->casebook;
    bool *wanted = memory_take_array(casebook->point_count, sizeof *wanted);
    for (uint32_t i = 0; i < reading->count; i++)
        wanted[reading->compared[i].pair->near] = wanted[reading->compared[i].pair->far] = true;
    reading->points = memory_take_array(casebook->point_count, sizeof *reading->points);
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (wanted[i])
            open_point(&reading->points[reading->point_count++], reading, i);
    memory_give(wanted);
}

static void read_side_by_side(struct second_reading *reading)
{
    open_points(reading);
    uint32_t until_progress = LIMIT_PROGRESS_PACKETS;
    for (struct reread_point *point; (point = earliest(reading)) != NULL;) {
        read_frame(point);
        if (--until_progress == 0) {
            until_progress = LIMIT_PROGRESS_PACKETS;
            tell_progress(reading);
        }
    }
    for (uint32_t i = 0; i < reading->count; i++)
        close_compared(&reading->compared[i]);
    for (uint32_t i = 0; i < reading->point_count; i++)
        close_point(&reading->points[i]);
    memory_give(reading->points);
}

/* How poor the captures are, over all connections that were compared. */
static void count_missed(struct second_reading *reading)
{
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct compared *compared = &reading->compared[i];
        for (enum side at = SIDE_CLIENT; at < SIDES; at++) {
            const struct passage *own = &compared->comparison->passages[at],
                                 *others = &compared->comparison->passages[side_other(at)];
            uint32_t number = at == SIDE_CLIENT ? compared->pair->near : compared->pair->far;
            struct point_facts *point = &reading->casebook->points[number];
            uint64_t missed = (uint64_t)own->unsent + others->missed;
            point->compared += missed + own->arrived + others->arrived;
            point->missed += missed;
        }
    }
}

static void note_pipes(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        struct capture_facts *capture = &casebook->captures[i];
        if (capture->only_once)
            notes_add(&capture->notes, "read once",
                      "it came through a pipe and could be read only once, so its packets were not compared one by one "
                      "with another capture's: save it to a file first");
    }
}

static void open_estimates(struct second_reading *reading)
{
    const struct casebook *casebook = reading->casebook;
    reading->estimates = memory_take_array(casebook->pairs.count, sizeof *reading->estimates);
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_facts *near = &casebook->points[casebook->pairs.list[i].near];
        clock_estimate_open(&reading->estimates[i], near->first_ns, near->last_ns);
    }
}

static void better_clocks(struct second_reading *reading)
{
    struct casebook *casebook = reading->casebook;
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        struct clock_facts clock = clock_estimate_result(&reading->estimates[i]);
        if (clock.known && clock.unsteady)
            casebook->pairs.list[i].clock.unsteady = true;
        else if (clock.known && !casebook->pairs.list[i].clock.unsteady &&
                 clock.uncertainty_ns < casebook->pairs.list[i].clock.uncertainty_ns)
            casebook->pairs.list[i].clock = clock;
    }
    path_clocks_settle(casebook);
}

void second_reading_run(struct casebook *casebook, const struct second_reading_options *options)
{
    struct second_reading reading = {.casebook = casebook, .options = options};
    if (casebook->secondary_count == 0)
        return;
    note_pipes(casebook);
    hash_index_open(&reading.by_first);
    hash_index_open(&reading.by_ends);
    choose_connections(&reading);
    if (reading.count > 0) {
        open_estimates(&reading);
        open_comparators(&reading);
        read_side_by_side(&reading);
        count_missed(&reading);
        better_clocks(&reading);
    }
    hash_index_close(&reading.by_first);
    hash_index_close(&reading.by_ends);
    memory_give(reading.estimates);
    memory_give(reading.compared);
    memory_give(reading.views);
    casebook_rest_all(casebook);
}
