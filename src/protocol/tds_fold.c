/* Packs TDS states. */
#include "tds_fold.h"

#include <assert.h>
#include <string.h>

#include "image_packing.h"
#include "memory.h"
#include "tds_state.h"

static_assert(sizeof(struct tds_state) % 8 == 0, "only whole words are packed");

static bool is_between_messages(const struct tds_lane *lane)
{
    const struct value_walker *values = &lane->walker.values;
    for (unsigned i = 0; i < COLUMN_SETS; i++)
        if (values->sets[i].kinds)
            return false;
    return !lane->in_message && lane->header_have == 0 && lane->left == 0 && !lane->gather.bytes && !lane->tail &&
           !lane->walker.held;
}

bool tds_may_fold(const struct tds_state *s)
{
    for (unsigned i = 0; i < SIDES; i++)
        if (!is_between_messages(&s->main.lanes[i]) || s->tls[i].held)
            return false;
    return s->recognised && !s->refused && !s->failed;
}

/* Addresses within the state itself are left out: the main channel's is told by a word of its own, and column sets are chosen anew with the
 * next token. */
void tds_fold(struct tds_state *s, struct image *image)
{
    uint64_t asked_main = s->last_request == &s->main;
    if (asked_main)
        s->last_request = NULL;
    for (unsigned i = 0; i < SIDES; i++)
        s->main.lanes[i].walker.values.set = NULL;
    s->stream = NULL;
    s->options = NULL;
    s->at = NULL;
    s->facts = NULL;
    image_put(image, s, sizeof *s);
    image_put(image, &asked_main, sizeof asked_main);
    memory_give(s);
}

struct tds_state *tds_unfold(const struct image *image, uint32_t at)
{
    struct tds_state *s = memory_take(sizeof *s);
    uint64_t asked_main;
    at = image_get(image, at, s, sizeof *s);
    image_get(image, at, &asked_main, sizeof asked_main);
    if (asked_main)
        s->last_request = &s->main;
    return s;
}
