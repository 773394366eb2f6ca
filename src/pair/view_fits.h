/* Which views may be of one connection, and how surely: what is clear is united, what is not is marked as doubtful. */
#ifndef TDSCOPE_VIEW_FITS_H
#define TDSCOPE_VIEW_FITS_H

#include "view_groups.h"

/* What was found must be so many times likelier than chance, as a power of two: it errs once in a thousand pairs of captures. */
#define BEYOND_CHANCE_BITS 10.0

/* A view and one of another point. */
struct view_fit {
    uint32_t from, to;
    uint32_t to_point;
    double bits; /* so much likelier one connection than alike by chance, as a power of two */
    unsigned by; /* enum match_trace */
};

struct view_fits {
    enum match_evidence evidence;
    double margin_bits;          /* by which a fit must be better than the next; HUGE_VAL: there must be no other */
    const uint32_t *populations; /* how many views each point has that were tried */
    struct view_fit *list;       /* each fit stands there both ways */
    uint32_t count, capacity;
};

/* Two views of different points may be one connection, so much likelier than alike by chance. */
void view_fits_add(struct view_fits *fits, const struct conversation *a, const struct conversation *b, double bits,
                   unsigned by);

/* Unites those that are each other's best by that margin, and beyond chance among all that were tried. Frees the list. */
void view_fits_unite(struct casebook *casebook, struct view_groups *groups, struct view_fits *fits);

#endif
