/*
 * "compared": { "relayed": true }: a device ends the connection and opens its own, so packets are not followed through it. Or
 * { "to_server": {...}, "to_client": {...} }: of the packets that way, how many arrived, were lost, made by a device,
 * duplicated or not to be judged; what was changed; and the time on the way, by one clock. "path": the same for each stretch, where
 * more than two captures have the connection; "relayed" there, too. "matched_by": how it is known that it is the same one;
 * "match_bits": how much likelier that is than chance, as a power of two; "match_traces": which of them tell.
 */
#include "json_comparison.h"

#include "match_names.h"

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
    add_some(object, "payloads_changed", passage->payloads_changed);
    add_some(object, "sack_untranslated", passage->sack_untranslated);
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

/* Packets of two connections are not compared. */
static void add_passages(json_t *object, const struct comparison *comparison)
{
    if (comparison->relayed) {
        object_add_flag(object, "relayed", true);
        return;
    }
    object_add(object, "to_server", passage_object(&comparison->passages[SIDE_CLIENT]));
    object_add(object, "to_client", passage_object(&comparison->passages[SIDE_SERVER]));
}

/* Of more than two captures: each two that are next to each other. */
static void add_path(json_t *object, const struct casebook *casebook, const struct conversation *view)
{
    if (view->next_view == view->twin)
        return;
    json_t *path = json_new_array();
    for (; view->next_view; view = casebook_conversation(casebook, view->next_view - 1)) {
        json_t *stretch = json_new_object();
        object_add_count(stretch, "from", view->capture_first);
        object_add_count(stretch, "to", casebook_conversation(casebook, view->next_view - 1)->capture_first);
        if (view->onward)
            add_passages(stretch, view->onward);
        array_add(path, stretch);
    }
    object_add(object, "path", path);
}

static void add_traces(json_t *object, unsigned traces)
{
    if (traces == 0)
        return;
    json_t *list = json_new_array();
    for (unsigned i = 0; i < MATCH_TRACES; i++)
        if (traces & 1u << i)
            array_add_text(list, match_trace_names[i].name);
    object_add(object, "match_traces", list);
}

void json_add_comparison(json_t *object, const struct casebook *casebook, const struct conversation *conversation)
{
    if (conversation->twin) {
        object_add_text(object, "matched_by", match_evidence_names[conversation->matched_by].name);
        add_some(object, "match_bits", conversation->match_bits);
        add_traces(object, conversation->match_traces);
    }
    if (conversation->comparison) {
        json_t *compared = json_new_object();
        add_passages(compared, conversation->comparison);
        object_add(object, "compared", compared);
    }
    if (conversation->twin)
        add_path(object, casebook, conversation);
}
