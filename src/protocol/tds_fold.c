/* Packs TDS states. */
#include "tds_fold.h"

#include <assert.h>
#include <string.h>

#include "memory.h"
#include "tds_state.h"
#include "word_packing.h"

static_assert(sizeof(struct tds_state) % 8 == 0, "only whole words are packed");

/* What states have in common is zero. */
static const struct packing_model no_model;

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

/* Addresses within the state itself are left out: the one of the main channel is told by the first byte, and column sets are
 * chosen anew with the next token. */
void *tds_fold(struct tds_state *s)
{
    uint8_t bytes[1 + PACKED_IMAGE_MOST(sizeof *s)];
    struct word_packing packing;
    bytes[0] = s->last_request == &s->main;
    if (bytes[0])
        s->last_request = NULL;
    for (unsigned i = 0; i < SIDES; i++)
        s->main.lanes[i].walker.values.set = NULL;
    s->stream = NULL;
    s->options = NULL;
    s->at = NULL;
    s->facts = NULL;
    word_packing_begin(&packing, bytes + 1, &no_model);
    words_pack(&packing, s, sizeof *s);
    size_t size = (size_t)(packing.at - bytes);
    memory_give(s);
    return memcpy(memory_take(size), bytes, size);
}

struct tds_state *tds_unfold(void *folded)
{
    struct tds_state *s = memory_take(sizeof *s);
    struct word_packing packing;
    uint8_t *bytes = folded;
    word_packing_begin(&packing, bytes + 1, &no_model);
    words_unpack(&packing, s, sizeof *s);
    if (bytes[0])
        s->last_request = &s->main;
    memory_give(folded);
    return s;
}
