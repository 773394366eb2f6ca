/*
 * The first reading.
 *
 * Theory of operation. Files are read in order of their first packets, and conversations are numbered in that order. Which files are of
 * one capture point is asked of what was read before. Of two files that are given for different sides it is known: they share nothing,
 * so the second is read into a casebook of its own, which is put after the first's - by a thread beside the first, where there may be one.
 */
#include "first_reading.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "begins_elsewhere.h"
#include "capture_point.h"
#include "capture_side.h"
#include "ceilings.h"
#include "memory.h"
#include "os_thread.h"

struct first_reading {
    struct analysis *analysis;
    struct casebook *casebook;
    struct capture_source *sources;
    uint32_t source_count;
    uint32_t *order; /* in which they are read */
    struct point_run *points;
    uint32_t *first_sources, *last_sources; /* of each point */
    struct followers *followers;
    struct begun begun;
    struct reading_beside *beside; /* NULL: none is under way */
    uint32_t turns;                /* files whose turn has come */
    uint64_t done_bytes, all_bytes;
};

/* A file whose turn has come, and its point. */
struct file_turn {
    struct capture_source *source;
    struct point_run *point;
    uint32_t number, turn; /* of the point; of the file */
};

/* The reading of a file into a casebook of its own. */
struct reading_beside {
    struct first_reading *reading;
    struct file_turn turn;
    struct casebook *casebook;
    bool tells; /* how far it is: the caller reads it, after all others */
    _Atomic uint64_t consumed;
};

struct source_order {
    int64_t first_ns;
    uint32_t source;
};

/* By time of the first packet; equal times keep the order in which they were given. */
static int compare_order(const void *left, const void *right)
{
    const struct source_order *a = left, *b = right;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->source < b->source ? -1 : a->source > b->source;
}

static void find_order(struct first_reading *reading)
{
    struct source_order *order = memory_take_array(reading->source_count, sizeof *order);
    for (uint32_t i = 0; i < reading->source_count; i++)
        order[i] = (struct source_order){capture_chain_first_ns(&reading->sources[i].chain), i};
    qsort(order, reading->source_count, sizeof *order, compare_order);
    reading->order = memory_take_array(reading->source_count, sizeof *reading->order);
    for (uint32_t i = 0; i < reading->source_count; i++)
        reading->order[i] = order[i].source;
    memory_give(order);
}

static bool is_of_series(const struct first_reading *reading, uint32_t point, const struct capture_source *source)
{
    return capture_series_same(&reading->sources[reading->first_sources[point]].series, &source->series);
}

static bool is_of_role(const struct first_reading *reading, uint32_t point, const struct capture_source *source)
{
    const struct point_facts *facts = &reading->casebook->points[point];
    return source->role_given ? facts->role_given && facts->role == source->role : !facts->role_given;
}

static bool is_over_before(const struct first_reading *reading, uint32_t point, const struct capture_source *source)
{
    const struct point_facts *facts = &reading->casebook->points[point];
    int64_t last_ns = facts->last_ns - reading->points[point].clock.shift_ns; /* as its files have it */
    return facts->has_packets && last_ns <= capture_chain_first_ns(&source->chain);
}

/* Files that somebody gave for one side may be named as they like; but none goes on with another series than its own. */
static bool only_of_series(const struct first_reading *reading, const struct capture_source *source)
{
    for (uint32_t i = 0; source->role_given && i < reading->casebook->point_count; i++)
        if (is_of_role(reading, i, source) && is_of_series(reading, i, source))
            return true;
    return !source->role_given;
}

/*
 * Which files of the same role, or without a given one, come from one capture point? Pieces of a ring buffer follow each other, and
 * their names are alike; captures of two points overlap in time, as those of two clients do, or lie in different folders, or are named
 * by the machine. So, in order of their first packets, a file goes on with the point of its series whose last packet lies nearest before
 * its first one; a file that overlaps with all of those begins a new one. So does one that only seems to follow, because the clock of
 * another machine is off: it brings the same handshakes again, or was taken in another place.
 */
static uint32_t point_for(struct first_reading *reading, const struct capture_source *source)
{
    struct casebook *casebook = reading->casebook;
    uint32_t best = casebook->point_count, number = (uint32_t)(source - reading->sources);
    bool in_series = only_of_series(reading, source);
    begun_look(&reading->begun, reading->followers);
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (is_of_role(reading, i, source) && is_over_before(reading, i, source) &&
            (!in_series || is_of_series(reading, i, source)) &&
            (best == casebook->point_count || casebook->points[i].last_ns > casebook->points[best].last_ns) &&
            !begins_elsewhere(&reading->begun, reading->followers, i, &casebook->captures[reading->first_sources[i]],
                              &casebook->captures[number]))
            best = i;
    if (best == casebook->point_count) {
        casebook->point_count++;
        casebook->points[best] = (struct point_facts){.role = source->role, .role_given = source->role_given};
        reading->first_sources[best] = number;
    }
    return best;
}

/* consumed: of the file at hand. */
static void tell_progress(const struct first_reading *reading, uint64_t consumed)
{
    const struct analysis *analysis = reading->analysis;
    uint64_t beside = reading->beside ? atomic_load(&reading->beside->consumed) : 0;
    if (analysis->progress)
        analysis->progress(analysis->progress_context, reading->done_bytes + beside + consumed, reading->all_bytes);
}

static void tell_consumed(void *context, uint64_t consumed)
{
    tell_progress(context, consumed);
}

static void note_consumed(void *context, uint64_t consumed)
{
    struct reading_beside *beside = context;
    atomic_store(&beside->consumed, consumed);
    if (beside->tells)
        tell_progress(beside->reading, 0);
}

/* Where the file does not go on with the one before it, although it counts on: what passed between the two is not known. */
static void note_left_out(const struct first_reading *reading, struct point_run *point,
                          const struct capture_source *before, const struct capture_source *source)
{
    struct files_left_out out = capture_series_left_out(&before->series, &source->series);
    int64_t begin_ns = capture_chain_first_ns(&source->chain) + point->clock.shift_ns;
    int64_t gap_ns = begin_ns - point->times.silences.latest_ns;
    if (out.first > out.last || !capture_silences_lack_file(&point->times.silences, begin_ns))
        return;
    struct notes *notes = &reading->casebook->captures[source - reading->sources].notes;
    char files[64];
    if (out.first == out.last)
        snprintf(files, sizeof files, "file %" PRIu64 " of this series was", out.first);
    else
        snprintf(files, sizeof files, "files %" PRIu64 " to %" PRIu64 " of this series were", out.first, out.last);
    notes_add(
        notes, "file left out",
        "%s not given: nothing is known of the %.1f s before this file, and nobody is blamed for what it lacks of them",
        files, (double)gap_ns / (double)NS_PER_SECOND);
}

/* Whose turn it is; belongs to its point from here on. */
static struct file_turn begin_turn(struct first_reading *reading, struct capture_source *source)
{
    uint32_t capture = (uint32_t)(source - reading->sources), known = reading->casebook->point_count,
             point = point_for(reading, source);
    if (point < known)
        note_left_out(reading, &reading->points[point], &reading->sources[reading->last_sources[point]], source);
    reading->last_sources[point] = capture;
    reading->casebook->captures[capture].point = point;
    return (struct file_turn){source, &reading->points[point], point, reading->turns++};
}

static void read_file(struct first_reading *reading, const struct file_turn *turn, struct followers *followers,
                      void (*each)(void *context, uint64_t consumed), void *context)
{
    struct casebook *casebook = reading->casebook;
    struct point_run *point = turn->point;
    if (!point->shards)
        point_run_open(point, reading->analysis, followers, turn->number);
    point->turn = turn->turn;
    struct told_frames frames = {.chain = &turn->source->chain, .clock = &point->clock, .point = &point->times};
    followers_follow(followers, &frames, (uint32_t)(turn->source - reading->sources), point, each, context);
    point_clock_tell(&point->clock, casebook->captures);
    struct point_facts *facts = &casebook->points[turn->number];
    facts->first_ns = point->times.first_ns;
    facts->last_ns = point->times.last_ns;
    facts->has_packets = point->times.has_packets;
    facts->silences = point->times.silences;
    facts->tick = point->times.tick;
}

static void count_done(struct first_reading *reading, const struct capture_source *source)
{
    uint64_t consumed, total;
    capture_chain_progress(&source->chain, &consumed, &total);
    reading->done_bytes += consumed;
}

static void read_in_order(struct first_reading *reading)
{
    for (uint32_t i = 0; i < reading->source_count; i++) {
        struct file_turn turn = begin_turn(reading, &reading->sources[reading->order[i]]);
        read_file(reading, &turn, reading->followers, tell_consumed, reading);
        count_done(reading, turn.source);
    }
    for (uint32_t i = 0; i < reading->casebook->point_count; i++)
        point_run_close(&reading->points[i]);
}

/* Everything that it writes to is taken by this thread, too, so that it shares no cache lines with what others write to. */
static void read_beside(void *context)
{
    struct reading_beside *beside = context;
    struct first_reading *reading = beside->reading;
    beside->casebook = memory_take(sizeof *beside->casebook);
    casebook_open_beside(beside->casebook, reading->casebook);
    struct followers *followers = followers_open(beside->casebook, 1);
    read_file(reading, &beside->turn, followers, note_consumed, beside);
    point_run_close(beside->turn.point);
    followers_close(followers);
}

/* Two files of two points. */
static void read_apart(struct first_reading *reading)
{
    unsigned threads = analysis_threads(reading->analysis);
    struct file_turn turn = begin_turn(reading, &reading->sources[reading->order[0]]);
    struct reading_beside beside = {.reading = reading,
                                    .turn = begin_turn(reading, &reading->sources[reading->order[1]])};
    reading->beside = &beside;
    struct os_thread *thread = threads > 1 ? os_thread_start(read_beside, &beside) : NULL;
    read_file(reading, &turn, reading->followers, tell_consumed, reading);
    point_run_close(turn.point);
    count_done(reading, turn.source);
    if (thread) {
        os_thread_join(thread);
    } else {
        beside.tells = true;
        read_beside(&beside);
    }
    count_done(reading, beside.turn.source);
    reading->beside = NULL;
    casebook_append(reading->casebook, beside.casebook);
}

/* Numbers of what is watched must be final while it is read. */
static bool are_apart(const struct first_reading *reading)
{
    return reading->source_count == 2 && !reading->analysis->watching &&
           reading->sources[0].role != reading->sources[1].role;
}

/* With several capture points a healthy view may be the other end's of a connection in trouble. Numbers that a user asked for must not
 * change, either. */
static bool may_fold(const struct first_reading *reading)
{
    return reading->source_count == 1 && !reading->analysis->watching;
}

/* Whoever did not ask for threads gets them where they save more time than they take. */
static bool is_much(const struct first_reading *reading)
{
    return reading->analysis->threads > 1 || reading->all_bytes >= LIMIT_BYTES_ALONE;
}

/* Numbers of conversations are not final while several follow, and memory is counted in one place. */
static unsigned followers_wanted(const struct first_reading *reading)
{
    const struct analysis *analysis = reading->analysis;
    unsigned threads = analysis_threads(analysis);
    if (analysis->watching || analysis->memory_bytes > 0 || are_apart(reading) || !is_much(reading))
        return 1;
    return threads < SHARDS ? threads : SHARDS;
}

void first_reading_run(struct analysis *analysis, struct capture_source *sources, uint32_t count, uint64_t all_bytes)
{
    struct casebook *casebook = &analysis->casebook;
    struct first_reading reading = {.analysis = analysis,
                                    .casebook = casebook,
                                    .sources = sources,
                                    .source_count = count,
                                    .points = memory_take_array(count, sizeof *reading.points),
                                    .first_sources = memory_take_array(count, sizeof *reading.first_sources),
                                    .last_sources = memory_take_array(count, sizeof *reading.last_sources),
                                    .all_bytes = all_bytes};
    casebook->points = memory_take_array(count, sizeof *casebook->points);
    analysis->may_fold = may_fold(&reading);
    reading.followers = followers_open(casebook, followers_wanted(&reading));
    begun_open(&reading.begun, count);
    find_order(&reading);
    if (are_apart(&reading))
        read_apart(&reading);
    else
        read_in_order(&reading);
    begun_close(&reading.begun);
    followers_close(reading.followers);
    for (uint32_t i = 0; i < casebook->point_count; i++) {
        if (!casebook->points[i].role_given)
            casebook->points[i].role = capture_side_infer(casebook, i);
    }
    capture_side_doubt(casebook);
    memory_give(reading.order);
    memory_give(reading.points);
    memory_give(reading.first_sources);
    memory_give(reading.last_sources);
}
