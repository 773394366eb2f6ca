/* How the words of images that are alike follow from each other. For the packing only (see image_packing.h). */
#ifndef TDSCOPE_IMAGE_KIND_H
#define TDSCOPE_IMAGE_KIND_H

#include <stdbool.h>

#include "image_packing.h"

/* Of a word that is not the same in all images. */
struct word_rule {
    uint64_t plus;     /* what is between the word and the one that it follows from, besides the distance */
    uint16_t at, from; /* the word, and the one that it follows from; 0: the zero in front */
    uint16_t
        unit; /* of the distance; 0: there is none. Clocks of many captures count microseconds, and times here nanoseconds */
    uint8_t bytes, shift; /* of the distance; and what shifts it down to the end of a word */
};

struct image_kind {
    uint64_t words[1 + IMAGE_WORDS];         /* as all images have them, but for those that vary */
    uint16_t varying_known[1 + IMAGE_WORDS]; /* places of the known words that vary; behind them 0 */
    uint32_t rule_count;
    const struct word_rule *rules; /* by place; behind them one at UINT16_MAX */
};

/* Distances of either sign as small numbers: 0, -1, 1, -2, ... */
static inline uint64_t fold_sign(uint64_t distance)
{
    return (distance << 1) ^ (0 - (distance >> 63));
}

static inline uint64_t unfold_sign(uint64_t folded)
{
    return (folded >> 1) ^ (0 - (folded & 1));
}

/* How many bytes a number takes: none when it is zero. */
static inline unsigned number_bytes(uint64_t number)
{
    unsigned wide = (number >> 32 != 0) * 4u;
    uint32_t half = (uint32_t)(number >> (wide * 8));
    return wide + (half > 0) + (half > 0xff) + (half > 0xffff) + (half > 0xffffff);
}

/* The number that a distance is written as; false: it is no multiple of the unit. */
static inline bool distance_number(uint64_t distance, uint16_t unit, uint64_t *number)
{
    *number = fold_sign(distance);
    if (unit <= 1)
        return unit == 1 || distance == 0;
    int64_t units = (int64_t)distance / unit;
    *number = fold_sign((uint64_t)units);
    return units * unit == (int64_t)distance;
}

/* Makes the kind that tells IMAGE_SAMPLES images in the fewest bytes; the first words are known. */
struct image_kind *image_kind_learn(uint64_t *const *samples, uint32_t known);
void image_kind_give(struct image_kind *kind); /* NULL is fine */

#endif
