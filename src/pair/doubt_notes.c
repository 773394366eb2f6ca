/* Counts those that stayed doubtful, for each capture. */
#include "doubt_notes.h"

#include "memory.h"

/* Of one capture, those that stayed without a partner. */
struct doubts {
    uint32_t all, under_way, cut;
};

/* The capture has none of the bytes that begin its messages. */
static bool is_cut(const struct conversation *c)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (c->sides[side].traces.heads[0] != 0)
            return false;
    return c->sides[SIDE_CLIENT].data_packets > 0;
}

static const char *what_would_tell(const struct doubts *doubts)
{
    if (doubts->cut * 2 > doubts->all)
        return "Packets that are captured whole, or 180 bytes of each, would tell";
    if (doubts->under_way * 2 > doubts->all)
        return "Captures that begin before the connections would tell";
    return "They send the same, and a device rewrites their ports and sequence numbers. TCP timestamps would tell, or "
           "captures "
           "before and behind it";
}

void doubt_notes_add(struct casebook *casebook, const struct view_groups *groups)
{
    struct doubts *doubts = memory_take_array((size_t)casebook->capture_count + 1, sizeof *doubts);
    for (uint32_t i = 0; i < groups->count; i++) {
        if (!groups->doubtful[i] || !view_is_single(groups, i))
            continue;
        const struct conversation *c = view_numbered(casebook, i);
        struct doubts *own = &doubts[c->capture_first];
        own->all++;
        own->under_way += !c->starts_with_syn;
        own->cut += is_cut(c);
    }
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (doubts[i].all > 0)
            notes_add(&casebook->captures[i].notes, "doubtful",
                      "%u of its connections could not be told apart in another capture, and are judged by this one "
                      "alone. %s",
                      doubts[i].all, what_would_tell(&doubts[i]));
    memory_give(doubts);
}
