/*
 * "compared": { "to_server": {...}, "to_client": {...} }: of the packets that way, how many arrived, were lost, made by a device,
 * duplicated or not to be judged; what was changed; and the time on the way, by one clock.
 */
#include "json_comparison.h"

static void add_some(json_t *object, const char *key, uint32_t count)
{
    if (count > 0)
        object_add_count(object, key, count);
}

static void add_frame(json_t *object, const char *key, const struct moment *moment)
{
    if (!moment_seen(moment))
        return;
    json_t *frame = json_new_object();
    object_add_count(frame, "capture", moment->capture);
    object_add_count(frame, "frame", moment->frame);
    object_add_time(frame, "time", moment->time_ns);
    object_add(object, key, frame);
}

static void add_changes(json_t *object, unsigned changes)
{
    static const struct {
        enum packet_change change;
        const char *name;
    } names[] = {
        {CHANGED_ADDRESSES, "addresses"},
        {CHANGED_PORTS, "ports"},
        {CHANGED_SEQUENCE_NUMBERS, "sequence-numbers"},
        {CHANGED_MSS, "mss"},
        {CHANGED_OPTIONS, "options"},
        {CHANGED_WINDOW, "window"},
        {CHANGED_PAYLOAD, "payload"},
    };
    if (changes == 0)
        return;
    json_t *list = json_new_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (changes & (unsigned)names[i].change)
            array_add_text(list, names[i].name);
    object_add(object, "changed", list);
}

/* The clocks' difference leaves a way that seems to take less than no time; how much is in "clock". */
static json_t *passage_object(const struct passage *passage)
{
    json_t *object = json_new_object();
    object_add_count(object, "arrived", passage->arrived);
    object_add_count(object, "lost", passage->lost);
    add_some(object, "lost_with_data", passage->lost_data);
    add_some(object, "lost_at_end", passage->lost_at_end);
    add_some(object, "injected", passage->injected);
    add_some(object, "duplicated", passage->duplicated);
    add_some(object, "reordered", passage->reordered);
    add_some(object, "late", passage->late);
    add_some(object, "missed_by_capture", passage->missed + passage->unsent);
    add_some(object, "not_judged", passage->open);
    add_some(object, "largest_arrived", passage->largest_arrived);
    add_some(object, "smallest_lost", passage->smallest_lost);
    add_changes(object, passage->changes);
    if (passage->timed > 0) {
        object_add_seconds(object, "shortest_s", passage->shortest_ns > 0 ? passage->shortest_ns : 0);
        object_add_seconds(object, "longest_s", passage->longest_ns > 0 ? passage->longest_ns : 0);
    }
    add_frame(object, "first_lost", &passage->first_lost);
    add_frame(object, "last_lost", &passage->last_lost);
    add_frame(object, "first_injected", &passage->first_injected);
    return object;
}

void json_add_comparison(json_t *object, const struct conversation *conversation)
{
    if (!conversation->comparison)
        return;
    json_t *compared = json_new_object();
    object_add(compared, "to_server", passage_object(&conversation->comparison->passages[SIDE_CLIENT]));
    object_add(compared, "to_client", passage_object(&conversation->comparison->passages[SIDE_SERVER]));
    object_add(object, "compared", compared);
}
