/* Of connections under way, by the numbers that their bytes have. */
#include "under_way.h"

#include "bytes_in_flight.h"
#include "hash_index.h"
#include "memory.h"

/* Chance alone must not make a fit: as many tries as there are pairs of candidates, each with the chance that both directions have
 * of overlapping by accident. */
#define CHANCE_MOST 1e-3
#define CANDIDATES_MOST 4096

struct candidates {
    uint32_t list[CANDIDATES_MOST];
    uint32_t count;
    double longest[SIDES]; /* of their spans of sequence numbers */
};

/* Those of the point that no other capture is known to have. */
static void find_candidates(const struct casebook *casebook, const struct view_groups *groups, uint32_t point,
                            struct candidates *candidates)
{
    *candidates = (struct candidates){0};
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct conversation *c = view_numbered(casebook, i);
        if (c->point != point || groups->head[i] != i || groups->next[i] != VIEWS_END || !bytes_in_flight_known(c))
            continue;
        if (candidates->count < CANDIDATES_MOST)
            candidates->list[candidates->count] = i;
        candidates->count++;
        for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
            double span = (double)(c->sides[side].seq_end - c->sides[side].seq_first) + 1;
            candidates->longest[side] = span > candidates->longest[side] ? span : candidates->longest[side];
        }
    }
}

static double chance(const struct candidates *a, const struct candidates *b)
{
    double all = (double)a->count * b->count;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        all *= (a->longest[side] + b->longest[side]) / 4294967296.0;
    return all;
}

/* The only candidate that fits; HASH_NONE: none, or several. */
static uint32_t only_fit(const struct casebook *casebook, const struct candidates *candidates, uint32_t number)
{
    uint32_t found = HASH_NONE;
    for (uint32_t i = 0; i < candidates->count; i++) {
        uint32_t other = candidates->list[i];
        if (!bytes_in_flight_overlap(view_numbered(casebook, number), view_numbered(casebook, other)))
            continue;
        if (found != HASH_NONE)
            return HASH_NONE;
        found = other;
    }
    return found;
}

static void match_candidates(struct casebook *casebook, struct view_groups *groups, const struct candidates *here,
                             const struct candidates *there)
{
    for (uint32_t i = 0; i < here->count; i++) {
        uint32_t a = here->list[i], b = only_fit(casebook, there, a);
        if (b != HASH_NONE && only_fit(casebook, here, b) == a && view_groups_may_unite(casebook, groups, a, b) &&
            view_times_fit(casebook, view_numbered(casebook, a), view_numbered(casebook, b)))
            view_groups_unite(casebook, groups, a, b, MATCHED_BY_BYTES_IN_FLIGHT);
    }
}

void under_way_match(struct casebook *casebook, struct view_groups *groups)
{
    struct candidates *here = memory_take(sizeof *here), *there = memory_take(sizeof *there);
    uint32_t points = casebook->point_count < PATH_POINTS_MOST ? casebook->point_count : PATH_POINTS_MOST;
    for (uint32_t a = 0; a < points; a++)
        for (uint32_t b = a + 1; b < points; b++) {
            find_candidates(casebook, groups, a, here);
            find_candidates(casebook, groups, b, there);
            if (points_may_share(casebook, a, b) && here->count <= CANDIDATES_MOST && there->count <= CANDIDATES_MOST &&
                chance(here, there) < CHANCE_MOST)
                match_candidates(casebook, groups, here, there);
        }
    memory_give(here);
    memory_give(there);
}
