/* Sorted, the fits of a view with those of one point stand together, the best first. */
#include "view_fits.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"
#include "sorted.h"

static void add_one_way(struct view_fits *fits, const struct conversation *from, const struct conversation *to,
                        struct view_fit fit)
{
    if (fits->count == fits->capacity) {
        fits->capacity = fits->capacity ? fits->capacity * 2 : 256;
        fits->list = memory_grow(fits->list, fits->capacity, sizeof *fits->list);
    }
    fit.from = from->id - 1;
    fit.to = to->id - 1;
    fit.to_point = to->point;
    fits->list[fits->count++] = fit;
}

void view_fits_add(struct view_fits *fits, const struct conversation *a, const struct conversation *b, double bits,
                   unsigned by)
{
    add_one_way(fits, a, b, (struct view_fit){.bits = bits, .by = by});
    add_one_way(fits, b, a, (struct view_fit){.bits = bits, .by = by});
}

static int compare_fits(const void *left, const void *right)
{
    const struct view_fit *a = left, *b = right;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to_point != b->to_point)
        return a->to_point < b->to_point ? -1 : 1;
    if (a->bits != b->bits)
        return a->bits > b->bits ? -1 : 1;
    return (a->to > b->to) - (a->to < b->to);
}

/* A fit may have been found twice. */
static void sort(struct view_fits *fits)
{
    uint32_t kept = 0;
    if (fits->count > 0)
        qsort(fits->list, fits->count, sizeof *fits->list, compare_fits);
    for (uint32_t i = 0; i < fits->count; i++)
        if (kept == 0 || compare_fits(&fits->list[kept - 1], &fits->list[i]) != 0)
            fits->list[kept++] = fits->list[i];
    fits->count = kept;
}

/* Of those that begin here; NULL: the next is not much worse. */
static const struct view_fit *clear_best(const struct view_fits *fits, uint32_t at)
{
    const struct view_fit *best = &fits->list[at], *next = best + 1;
    bool has_next = at + 1 < fits->count && next->from == best->from && next->to_point == best->to_point;
    return has_next && best->bits < next->bits + fits->margin_bits ? NULL : best;
}

/* Where those of that view and point begin; there are some. */
static uint32_t first_of(const struct view_fits *fits, uint32_t from, uint32_t to_point)
{
    const struct view_fit wanted = {.from = from, .to_point = to_point, .bits = HUGE_VAL};
    return sorted_place(&wanted, fits->list, fits->count, sizeof *fits->list, compare_fits);
}

static bool is_beyond_chance(const struct view_fits *fits, uint32_t point, const struct view_fit *fit)
{
    double tries = log2(fits->populations[point]) + log2(fits->populations[fit->to_point]);
    return fit->bits >= tries + BEYOND_CHANCE_BITS;
}

/* Each other's best, of those that begin here; NULL: it is not clear. */
static const struct view_fit *mutual_best(const struct casebook *casebook, const struct view_fits *fits, uint32_t at)
{
    const struct view_fit *best = clear_best(fits, at);
    if (!best)
        return NULL;
    uint32_t point = view_numbered(casebook, best->from)->point;
    const struct view_fit *back = clear_best(fits, first_of(fits, best->to, point));
    return back && back->to == best->from && is_beyond_chance(fits, point, best) ? best : NULL;
}

static bool is_same_run(const struct view_fit *a, const struct view_fit *b)
{
    return a->from == b->from && a->to_point == b->to_point;
}

void view_fits_unite(struct casebook *casebook, struct view_groups *groups, struct view_fits *fits)
{
    sort(fits);
    for (uint32_t i = 0; i < fits->count; i++) {
        const struct view_fit *fit = &fits->list[i];
        if (i > 0 && is_same_run(fit - 1, fit))
            continue;
        const struct view_fit *best = mutual_best(casebook, fits, i);
        if (!best && view_is_single(groups, fit->from) &&
            points_are_related(casebook, view_numbered(casebook, fit->from)->point, fit->to_point))
            groups->doubtful[fit->from] = true;
        if (!best)
            continue;
        if (best->from < best->to && view_groups_may_unite(casebook, groups, best->from, best->to))
            view_groups_unite(casebook, groups, best->from, best->to,
                              (struct match){fits->evidence, best->bits, best->by});
    }
    memory_give(fits->list);
    fits->list = NULL;
    fits->count = fits->capacity = 0;
}
