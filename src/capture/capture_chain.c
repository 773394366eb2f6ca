/*
 * Merges capture files by the times of their packets.
 *
 * Theory of operation: files lie sorted by the time of their first packet, which a look at each file told when it was
 * added. Those up to chain->opened were opened; each of them that is still open has its next packet at hand and stands
 * in a binary heap, ordered by that packet's time. Before the heap's top is delivered, all files that begin no later are
 * opened: so the top is the earliest packet of all.
 */
#include "capture_chain.h"

#include <stdlib.h>

#include "memory.h"
#include "os_file.h"

struct chain_file {
    struct capture_file capture;
    struct frame frame; /* the next one, when in the heap */
    struct capture_facts *facts;
    char *path;
    size_t order; /* in which it was added: decides between equal times */
    int64_t first_ns;
    uint64_t size;
    uint32_t index; /* moment.capture */
    bool held_open; /* a pipe: opened when added, because its bytes come only once */
};

void capture_chain_open(struct capture_chain *chain)
{
    *chain = (struct capture_chain){.total_known = true};
}

static struct chain_file *chain_append(struct capture_chain *chain, const char *path)
{
    if (chain->count == chain->capacity) {
        chain->capacity = chain->capacity ? chain->capacity * 2 : 16;
        chain->files = memory_grow(chain->files, chain->capacity, sizeof *chain->files);
    }
    struct chain_file *file = memory_take(sizeof *file);
    file->path = memory_copy_text(path);
    file->order = chain->count;
    chain->files[chain->count++] = file;
    return file;
}

/* A pipe: what was looked at cannot be read again, so it stays open with its first packet at hand. */
static enum capture_opening chain_add_held(struct capture_chain *chain, struct os_file *source, struct chain_file *file,
                                           struct error *error)
{
    chain->total_known = false;
    enum capture_opening opening = capture_file_open_over(&file->capture, source, file->facts, error);
    if (opening != CAPTURE_OPENED)
        return opening;
    file->held_open = true;
    file->facts->only_once = true;
    if (capture_file_next(&file->capture, &file->frame))
        file->first_ns = file->frame.moment.time_ns;
    else
        capture_file_close(&file->capture);
    return CAPTURE_OPENED;
}

static enum capture_opening chain_add_waiting(struct capture_chain *chain, struct chain_file *file, struct error *error)
{
    struct capture_glimpse glimpse;
    enum capture_opening opening = capture_file_peek(file->path, &glimpse, error);
    if (opening != CAPTURE_OPENED) {
        file->facts->failed = true;
        return opening;
    }
    file->facts->format = glimpse.format;
    file->first_ns = glimpse.has_packet ? glimpse.first_ns : INT64_MIN;
    chain->total_bytes += file->size;
    return CAPTURE_OPENED;
}

static void chain_file_free(struct chain_file *file)
{
    capture_file_close(&file->capture);
    memory_give(file->path);
    memory_give(file);
}

enum capture_opening capture_chain_add(struct capture_chain *chain, const char *path, uint32_t capture,
                                       struct capture_facts *facts, struct error *error)
{
    struct os_file *source = os_file_open(path, error);
    if (source)
        return capture_chain_add_over(chain, source, capture, facts, error);
    facts->failed = true;
    return CAPTURE_ABSENT;
}

enum capture_opening capture_chain_add_over(struct capture_chain *chain, struct os_file *source, uint32_t capture,
                                            struct capture_facts *facts, struct error *error)
{
    struct chain_file *file = chain_append(chain, os_file_path(source));
    file->facts = facts;
    file->index = capture;
    enum capture_opening opening;
    if (os_file_can_reopen(source)) {
        os_file_stored_size(source, &file->size);
        os_file_close(source);
        opening = chain_add_waiting(chain, file, error);
    } else {
        opening = chain_add_held(chain, source, file, error);
    }
    if (opening != CAPTURE_OPENED) {
        chain->count--;
        chain_file_free(file);
    }
    return opening;
}

void capture_chain_keep_bytes(struct capture_chain *chain, const struct window_keeper *keeper)
{
    chain->keeper = keeper;
    for (size_t i = 0; i < chain->count; i++)
        chain->files[i]->capture.window.keeper = keeper;
}

int64_t capture_chain_first_ns(const struct capture_chain *chain)
{
    int64_t first_ns = INT64_MAX;
    for (size_t i = 0; i < chain->count; i++)
        if (chain->files[i]->first_ns < first_ns)
            first_ns = chain->files[i]->first_ns;
    return first_ns;
}

/* Heap */

static bool comes_before(const struct chain_file *a, const struct chain_file *b)
{
    int64_t a_ns = a->frame.moment.time_ns;
    int64_t b_ns = b->frame.moment.time_ns;
    return a_ns != b_ns ? a_ns < b_ns : a->order < b->order;
}

static void heap_swap(struct capture_chain *chain, size_t a, size_t b)
{
    struct chain_file *file = chain->heap[a];
    chain->heap[a] = chain->heap[b];
    chain->heap[b] = file;
}

static void heap_push(struct capture_chain *chain, struct chain_file *file)
{
    size_t at = chain->heap_size++;
    chain->heap[at] = file;
    for (; at > 0 && comes_before(chain->heap[at], chain->heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap_swap(chain, at, (at - 1) / 2);
}

static void heap_settle_top(struct capture_chain *chain)
{
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < chain->heap_size; child++) {
            if (comes_before(chain->heap[child], chain->heap[least]))
                least = child;
        }
        if (least == at)
            return;
        heap_swap(chain, at, least);
        at = least;
    }
}

static void heap_advance_top(struct capture_chain *chain)
{
    struct chain_file *top = chain->heap[0];
    if (!capture_file_next(&top->capture, &top->frame)) {
        capture_file_close(&top->capture);
        chain->consumed_bytes += top->size;
        chain->heap[0] = chain->heap[--chain->heap_size];
    }
    if (chain->heap_size > 1)
        heap_settle_top(chain);
}

/* Files whose time has come */

static void chain_file_begin(struct capture_chain *chain, struct chain_file *file)
{
    struct error error = {0};
    if (file->held_open) {
        file->capture.window.keeper = chain->keeper;
        if (file->capture.file)
            heap_push(chain, file);
        return;
    }
    if (capture_file_open(&file->capture, file->path, file->facts, &error) != CAPTURE_OPENED) {
        notes_add(&file->facts->notes, CAPTURE_BROKEN_NOTE, "%s", error.text);
    } else {
        file->capture.window.keeper = chain->keeper;
        if (capture_file_next(&file->capture, &file->frame)) {
            heap_push(chain, file);
            return;
        }
    }
    capture_file_close(&file->capture);
    chain->consumed_bytes += file->size;
}

static bool chain_file_is_due(const struct capture_chain *chain, const struct chain_file *file)
{
    return chain->heap_size == 0 || file->first_ns <= chain->heap[0]->frame.moment.time_ns;
}

static void chain_begin_due(struct capture_chain *chain)
{
    while (chain->opened < chain->count && chain->heap_size < CHAIN_OPEN_MAX &&
           chain_file_is_due(chain, chain->files[chain->opened])) {
        struct chain_file *file = chain->files[chain->opened++];
        if (chain->delivered && file->first_ns != INT64_MIN && file->first_ns < chain->delivered_ns)
            notes_add(&file->facts->notes, "packets late",
                      "more than %d files overlap in time here; this one was read after others had ended",
                      CHAIN_OPEN_MAX);
        chain_file_begin(chain, file);
    }
}

static int compare_files(const void *a, const void *b)
{
    const struct chain_file *first = *(struct chain_file *const *)a;
    const struct chain_file *second = *(struct chain_file *const *)b;
    if (first->first_ns != second->first_ns)
        return first->first_ns < second->first_ns ? -1 : 1;
    return first->order < second->order ? -1 : 1;
}

const struct frame *capture_chain_next(struct capture_chain *chain)
{
    if (!chain->reading && chain->count > 0)
        qsort(chain->files, chain->count, sizeof chain->files[0], compare_files);
    chain->reading = true;
    if (chain->heap_size > 0)
        heap_advance_top(chain);
    chain_begin_due(chain);
    if (chain->heap_size == 0)
        return NULL;
    struct chain_file *top = chain->heap[0];
    top->frame.moment.capture = top->index;
    chain->delivered = true;
    chain->delivered_ns = top->frame.moment.time_ns;
    return &top->frame;
}

void capture_chain_progress(const struct capture_chain *chain, uint64_t *consumed, uint64_t *total)
{
    *consumed = chain->consumed_bytes;
    *total = chain->total_known ? chain->total_bytes : 0;
    for (size_t i = 0; i < chain->heap_size; i++)
        *consumed += capture_file_consumed(&chain->heap[i]->capture);
}

void capture_chain_close(struct capture_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        chain_file_free(chain->files[i]);
    memory_give(chain->files);
    *chain = (struct capture_chain){0};
}
