/*
 * The second reading.
 *
 * Theory of operation. All captures advance together by the common clock, so that each comparator holds only what may be under way.
 *
 * What one connection shows of a capture holds for all of it: where it recorded nothing for a while, and a packet demonstrably passed,
 * it has a hole. That is known once all are compared, so then all are compared again.
 */
#include "second_reading.h"

#include "ceilings.h"
#include "clock_estimate.h"
#include "compared_connections.h"
#include "hole_notes.h"
#include "memory.h"
#include "path_clocks.h"
#include "reread_point.h"

struct second_reading {
    struct casebook *casebook;
    const struct second_reading_options *options;
    struct compared_connections connections;
    struct reread_point *points;
    uint32_t point_count;
};

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
static void open_comparators(struct second_reading *reading, bool again)
{
    const struct casebook *casebook = reading->casebook;
    reading->connections.over_count = 0;
    for (uint32_t i = 0; i < reading->connections.count; i++) {
        struct compared *compared = &reading->connections.list[i];
        *compared = (struct compared){.comparison = compared->comparison,
                                      .pair = compared->pair,
                                      .views = {compared->views[SIDE_CLIENT], compared->views[SIDE_SERVER]},
                                      .open = true};
        const struct clock_facts *clock = &compared->pair->clock;
        const struct point_facts *near = &casebook->points[compared->pair->near],
                                 *far = &casebook->points[compared->pair->far];
        comparator_open(&compared->comparator, compared->comparison, compared->views[SIDE_CLIENT],
                        compared->views[SIDE_SERVER], clock);
        compared->comparator.ticks_ns = stamp_tick_ns(&near->tick) + stamp_tick_ns(&far->tick);
        compared->comparator.ways = again ? NULL : compared->pair->ways;
        int64_t unsure_ns = clock->unsteady ? 2 * clock->uncertainty_ns : 0;
        compared->comparator.coverage[SIDE_CLIENT] =
            (struct coverage){near->first_ns + unsure_ns, near->last_ns - unsure_ns};
        compared->comparator.coverage[SIDE_SERVER] = (struct coverage){
            clock_to_client(clock, far->first_ns) + unsure_ns, clock_to_client(clock, far->last_ns) - unsure_ns};
        compared->comparator.silences[SIDE_CLIENT] = &reading->casebook->points[compared->pair->near].silences;
        compared->comparator.silences[SIDE_SERVER] = &reading->casebook->points[compared->pair->far].silences;
        observe(reading, compared);
    }
}

static void tell_progress(const struct second_reading *reading)
{
    uint64_t done_bytes = 0, all_bytes = 0;
    for (uint32_t i = 0; i < reading->point_count; i++) {
        uint64_t consumed, total;
        packet_feed_progress(reading->points[i].feed, &consumed, &total);
        done_bytes += consumed;
        all_bytes += total;
    }
    if (reading->options->progress)
        reading->options->progress(reading->options->progress_context, done_bytes, all_bytes);
}

/* NULL: nothing is left to be compared. */
static struct reread_point *earliest(const struct second_reading *reading)
{
    struct reread_point *found = NULL;
    if (reading->connections.over_count == reading->connections.count)
        return NULL;
    for (uint32_t i = 0; i < reading->point_count; i++) {
        struct reread_point *point = &reading->points[i];
        if (point->next && (!found || point->next_ns < found->next_ns))
            found = point;
    }
    return found;
}

/* Only those that something is to be compared in. */
static void open_points(struct second_reading *reading)
{
    const struct casebook *casebook = reading->casebook;
    bool *wanted = memory_take_array(casebook->point_count, sizeof *wanted);
    for (uint32_t i = 0; i < reading->connections.count; i++)
        wanted[reading->connections.list[i].pair->near] = wanted[reading->connections.list[i].pair->far] = true;
    reading->points = memory_take_array(casebook->point_count, sizeof *reading->points);
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (wanted[i])
            reread_point_open(&reading->points[reading->point_count++], &reading->connections,
                              reading->options->set_clocks, i, reading->options->ahead);
    for (uint32_t i = 0; i < reading->point_count; i++)
        reread_point_advance(&reading->points[i]);
    memory_give(wanted);
}

static void read_side_by_side(struct second_reading *reading)
{
    open_points(reading);
    uint32_t until_progress = LIMIT_PROGRESS_PACKETS;
    for (struct reread_point *point; (point = earliest(reading)) != NULL;) {
        reread_point_read(point);
        if (--until_progress == 0) {
            until_progress = LIMIT_PROGRESS_PACKETS;
            tell_progress(reading);
        }
    }
    for (uint32_t i = 0; i < reading->connections.count; i++)
        compared_close(&reading->connections.list[i]);
    for (uint32_t i = 0; i < reading->point_count; i++)
        reread_point_close(&reading->points[i]);
    memory_give(reading->points);
    reading->point_count = 0;
}

/* Of those without data, the ones after which others arrived. */
static uint32_t lost_singly(const struct passage *passage)
{
    uint32_t lost = passage->lost - passage->lost_data;
    return lost > passage->lost_at_end ? lost - passage->lost_at_end : 0;
}

/* How poor the captures are, over all connections that were compared: what is not lost with a whole piece of them. */
static void count_missed(struct second_reading *reading)
{
    for (uint32_t i = 0; i < reading->connections.count; i++) {
        const struct compared *compared = &reading->connections.list[i];
        for (enum side at = SIDE_CLIENT; at < SIDES; at++) {
            const struct comparison *comparison = compared->comparison;
            const struct passage *own = &comparison->passages[at], *others = &comparison->passages[side_other(at)];
            uint32_t number = at == SIDE_CLIENT ? compared->pair->near : compared->pair->far;
            struct point_facts *point = &reading->casebook->points[number];
            point->compared += comparison->strays[at] + own->arrived + others->arrived;
            point->missed += comparison->strays[at];
            point->missed_syns += comparison->missed_syns[at];
            point->perhaps_missed += lost_singly(others);
        }
    }
}

static void keep_later(const struct casebook *casebook, struct moment *last, const struct moment *moment)
{
    if (moment_seen(moment) && (!moment_seen(last) || casebook_in_order(casebook, last, moment)))
        *last = *moment;
}

static void keep_earlier(const struct casebook *casebook, struct moment *first, const struct moment *moment)
{
    if (moment_seen(moment) && (!moment_seen(first) || casebook_in_order(casebook, moment, first)))
        *first = *moment;
}

static void note_arrivals(struct second_reading *reading)
{
    for (uint32_t i = 0; i < reading->connections.count; i++) {
        const struct compared *compared = &reading->connections.list[i];
        for (enum side sender = SIDE_CLIENT; sender < SIDES; sender++) {
            const struct passage *passage = &compared->comparison->passages[sender];
            struct point_pair *pair = compared->pair;
            keep_later(reading->casebook, &pair->last_arrival_sent[sender], &passage->last_arrival_sent);
            keep_later(reading->casebook, &pair->last_in_time_sent[sender], &passage->last_in_time_sent);
            keep_earlier(reading->casebook, &pair->first_in_time_sent[sender], &passage->first_in_time_sent);
            keep_earlier(reading->casebook, &pair->first_arrival[sender], &passage->first_arrival);
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

static void better_clocks(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        struct point_pair *pair = &casebook->pairs.list[i];
        if (!pair->ways || pair->clock.unsteady)
            continue;
        struct clock_facts clock = clock_estimate_result(pair->ways);
        if (clock.unsteady)
            pair->clock.unsteady = true;
        else
            pair->clock = clock;
    }
    path_clocks_settle(casebook);
}

static bool has_holes(const struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (capture_silences_hole(&casebook->points[i].silences, INT64_MIN, INT64_MAX))
            return true;
    return false;
}

static void compare(struct second_reading *reading)
{
    open_comparators(reading, false);
    read_side_by_side(reading);
}

static void compare_again(struct second_reading *reading)
{
    for (uint32_t i = 0; i < reading->casebook->point_count; i++)
        capture_silences_settle(&reading->casebook->points[i].silences);
    if (reading->options->observe)
        reading->options->forget(reading->options->observe_context);
    open_comparators(reading, true);
    read_side_by_side(reading);
}

void second_reading_run(struct casebook *casebook, const struct second_reading_options *options)
{
    struct second_reading reading = {.casebook = casebook, .options = options};
    if (casebook->secondary_count == 0)
        return;
    note_pipes(casebook);
    compared_connections_choose(&reading.connections, casebook, options->observed);
    if (reading.connections.count > 0) {
        compare(&reading);
        if (has_holes(casebook))
            compare_again(&reading);
        count_missed(&reading);
        note_arrivals(&reading);
        hole_notes_add(casebook, HOLE_BY_OTHER_CAPTURE, "although packets passed meanwhile, as another capture shows");
        better_clocks(casebook);
    }
    compared_connections_close(&reading.connections);
    casebook_rest_all(casebook);
}
