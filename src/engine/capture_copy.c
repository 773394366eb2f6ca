/* Two files are read side by side until they differ, which those that are no copies do soon. */
#include "capture_copy.h"

#include <string.h>

#include "capture_chain.h"

static bool is_same(const struct frame *a, const struct frame *b)
{
    return a->moment.time_ns == b->moment.time_ns && a->wire_length == b->wire_length &&
           a->bytes.size == b->bytes.size &&
           (a->bytes.size == 0 || memcmp(a->bytes.data, b->bytes.data, a->bytes.size) == 0);
}

static bool hold_the_same(struct capture_chain *here, struct capture_chain *there)
{
    for (;;) {
        const struct frame *a = capture_chain_next(here), *b = capture_chain_next(there);
        if (!a || !b)
            return !a && !b;
        if (!is_same(a, b))
            return false;
    }
}

bool capture_copy_of(const char *path, const char *other)
{
    struct capture_chain here, there;
    struct capture_facts facts[2] = {{0}};
    struct error error;
    capture_chain_open(&here);
    capture_chain_open(&there);
    bool same = capture_chain_add(&here, path, 0, &facts[0], &error) == CAPTURE_OPENED &&
                capture_chain_add(&there, other, 0, &facts[1], &error) == CAPTURE_OPENED &&
                hold_the_same(&here, &there) && facts[0].packets > 0 && !facts[0].incomplete && !facts[1].incomplete;
    capture_chain_close(&here);
    capture_chain_close(&there);
    notes_close(&facts[0].notes);
    notes_close(&facts[1].notes);
    return same;
}
