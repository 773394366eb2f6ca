/* Silences of a capture point, and which of them are holes. */
#include "capture_silences.h"

#include "memory.h"
#include "moment.h"
#include "sorted.h"

/* What is shorter hides no drop and no time-out; and of a capture of days so many are kept (200 kB). */
#define LEAST_NS (100 * NS_PER_MS)
enum { SILENCES_MOST = 8192 };

/* Of a capture that misses every fourth packet, one in a thousand silences holds so many. */
enum { MISSED_BY_NO_CHANCE = 5, WITNESSES_LEAST = 2 };

static void keep_long_ones(struct capture_silences *silences)
{
    while (silences->count == SILENCES_MOST) {
        uint32_t kept = 0;
        silences->least_ns *= 2;
        for (uint32_t i = 0; i < silences->count; i++)
            if (silences->list[i].to_ns - silences->list[i].from_ns >= silences->least_ns)
                silences->list[kept++] = silences->list[i];
        silences->count = kept;
    }
}

static void add(struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    keep_long_ones(silences);
    if (to_ns - from_ns < silences->least_ns)
        return;
    if (silences->count == silences->capacity) {
        silences->capacity = silences->capacity ? silences->capacity * 2 : 16;
        silences->list = memory_grow(silences->list, silences->capacity, sizeof *silences->list);
    }
    silences->list[silences->count++] =
        (struct capture_silence){.from_ns = from_ns, .to_ns = to_ns, .file_lacks = silences->file_lacks};
}

/* Cards with several queues record a little out of order, and so do several interfaces. */
static void end_in_the_past(struct capture_silences *silences, int64_t time_ns)
{
    struct capture_silence *silence = capture_silences_in(silences, time_ns, time_ns);
    if (silence && time_ns > silence->from_ns && time_ns < silence->to_ns)
        silence->to_ns = time_ns;
}

void capture_silences_see(struct capture_silences *silences, int64_t time_ns)
{
    if (!silences->begun) {
        *silences = (struct capture_silences){.least_ns = LEAST_NS, .latest_ns = time_ns, .begun = true};
        return;
    }
    if (time_ns < silences->latest_ns) {
        end_in_the_past(silences, time_ns);
        return;
    }
    if (time_ns - silences->latest_ns >= silences->least_ns)
        add(silences, silences->latest_ns, time_ns);
    silences->latest_ns = time_ns;
    silences->file_lacks = false;
}

bool capture_silences_lack_file(struct capture_silences *silences, int64_t until_ns)
{
    silences->file_lacks = silences->begun && until_ns - silences->latest_ns >= silences->least_ns;
    return silences->file_lacks;
}

/* Whether it is over before that time. */
static int compare_end(const void *silence, const void *time_ns)
{
    return ((const struct capture_silence *)silence)->to_ns < *(const int64_t *)time_ns ? -1 : 1;
}

static uint32_t first_from(const struct capture_silences *silences, int64_t time_ns)
{
    return sorted_place(&time_ns, silences->list, silences->count, sizeof *silences->list, compare_end);
}

struct capture_silence *capture_silences_in(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    uint32_t first = first_from(silences, from_ns);
    return first < silences->count && silences->list[first].from_ns <= to_ns ? &silences->list[first] : NULL;
}

int64_t capture_silences_longest_ns(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    int64_t longest_ns = 0;
    for (uint32_t i = first_from(silences, from_ns); i < silences->count && silences->list[i].from_ns <= to_ns; i++) {
        const struct capture_silence *silence = &silences->list[i];
        int64_t within_ns = (silence->to_ns < to_ns ? silence->to_ns : to_ns) -
                            (silence->from_ns > from_ns ? silence->from_ns : from_ns);
        if (within_ns > longest_ns)
            longest_ns = within_ns;
    }
    return longest_ns;
}

void capture_silences_miss(struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    if (silences->settled)
        return;
    for (uint32_t i = first_from(silences, from_ns); i < silences->count && silences->list[i].from_ns <= to_ns; i++) {
        struct capture_silence *silence = &silences->list[i];
        int64_t earliest_ns = from_ns > silence->from_ns ? from_ns : silence->from_ns,
                latest_ns = to_ns < silence->to_ns ? to_ns : silence->to_ns;
        if (silence->missed == 0 || earliest_ns < silence->missed_from_ns)
            silence->missed_from_ns = earliest_ns;
        if (silence->missed == 0 || latest_ns > silence->missed_to_ns)
            silence->missed_to_ns = latest_ns;
        silence->missed++;
    }
}

/* The longest that lies within that time, if it is most of it. */
static struct capture_silence *most_of(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    struct capture_silence *longest = NULL;
    int64_t longest_ns = (to_ns - from_ns) / 2;
    for (uint32_t i = first_from(silences, from_ns); i < silences->count && silences->list[i].to_ns <= to_ns; i++) {
        struct capture_silence *silence = &silences->list[i];
        if (silence->from_ns < from_ns || silence->to_ns - silence->from_ns <= longest_ns)
            continue;
        longest = silence;
        longest_ns = silence->to_ns - silence->from_ns;
    }
    return longest;
}

struct capture_silence *capture_silences_pass(struct capture_silences *silences, int64_t from_ns, int64_t to_ns,
                                              uint32_t packets, bool both_ways)
{
    struct capture_silence *longest = most_of(silences, from_ns, to_ns);
    if (longest) {
        longest->passed += packets;
        longest->witnesses += both_ways ? 2 : 1;
    }
    return longest;
}

void capture_silences_stand_still(struct capture_silences *silences, int64_t from_ns, int64_t to_ns, bool no_time)
{
    struct capture_silence *longest = most_of(silences, from_ns, to_ns);
    if (!longest)
        return;
    longest->stood_still = true;
    longest->no_time = longest->no_time || no_time;
}

bool capture_silences_stood_still(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    for (uint32_t i = first_from(silences, from_ns); i < silences->count && silences->list[i].from_ns <= to_ns; i++)
        if (silences->list[i].stood_still)
            return true;
    return false;
}

bool capture_silences_had_no_time(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    for (uint32_t i = first_from(silences, from_ns); i < silences->count && silences->list[i].from_ns <= to_ns; i++)
        if (silences->list[i].no_time)
            return true;
    return false;
}

struct capture_silence *capture_silences_lack(struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    return silences->settled ? NULL : capture_silences_in(silences, from_ns, to_ns);
}

void capture_silences_lack_reset(struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    struct capture_silence *silence = capture_silences_lack(silences, from_ns, to_ns);
    if (silence)
        silence->resets++;
}

void capture_silences_settle(struct capture_silences *silences)
{
    silences->settled = true;
}

bool capture_silence_is_passed(const struct capture_silence *silence)
{
    return silence->passed >= MISSED_BY_NO_CHANCE && silence->witnesses >= WITNESSES_LEAST;
}

bool capture_silence_is_hole(const struct capture_silence *silence)
{
    return silence->file_lacks || silence->stood_still || silence->missed >= MISSED_BY_NO_CHANCE ||
           capture_silence_is_passed(silence);
}

static bool is_hole_at(const struct capture_silence *silence, int64_t from_ns, int64_t to_ns)
{
    return capture_silence_is_hole(silence) ||
           (silence->missed > 0 && silence->missed_from_ns <= to_ns && silence->missed_to_ns >= from_ns);
}

struct capture_silence *capture_silences_hole(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    for (uint32_t i = first_from(silences, from_ns); i < silences->count && silences->list[i].from_ns <= to_ns; i++)
        if (is_hole_at(&silences->list[i], from_ns, to_ns))
            return &silences->list[i];
    return NULL;
}

bool capture_silences_hide(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns)
{
    for (uint32_t i = first_from(silences, from_ns); i < silences->count && silences->list[i].from_ns <= to_ns; i++)
        if (capture_silence_is_hole(&silences->list[i]))
            return true;
    return false;
}

void capture_silences_close(struct capture_silences *silences)
{
    memory_give(silences->list);
    *silences = (struct capture_silences){0};
}
