/*
 * Packs images of structs: mostly zeros, and times, pointers and numbers that are near to others of their kind.
 *
 * Theory of operation: an image is read as 64-bit words. A run of zeros takes a byte; so does a word that came before, in this packing or
 * in the model, an image of the same kind: small tables find them. Others take a byte and as many as they have, or as their
 * distance from the last word of their kind has. Both ways keep the same tables and the same last words. Packed bytes mean something
 * on this machine and in this run only.
 */
#ifndef TDSCOPE_WORD_PACKING_H
#define TDSCOPE_WORD_PACKING_H

#include <stddef.h>
#include <stdint.h>

enum { PACKED_WORD_MOST = 9, PACKING_TABLE = 64, PACKING_KINDS = 6 };

/* Words that images have in common; begins as zero. */
struct packing_model {
    uint64_t
        words[PACKING_TABLE]; /* once set they stay, so that what was packed before can still be unpacked; zero: none */
    uint64_t seen[PACKING_TABLE]; /* words of the image before */
};

/* One packing or unpacking, of any number of images after each other; begins with an empty table. */
struct word_packing {
    uint8_t *at;                       /* the next byte to write or read */
    const struct packing_model *model; /* the same for packing and unpacking */
    uint64_t recent[PACKING_TABLE];
    uint64_t last[PACKING_KINDS];
};

/* image_bytes is a multiple of 8. Writes at most PACKED_WORD_MOST bytes a word. */
void words_pack(struct word_packing *packing, const void *image, size_t image_bytes);

/* Adds words to the model, where it has room, that this image has in common with one before. */
void words_learn(struct packing_model *model, const void *image, size_t image_bytes);

/* Of images in the order and the sizes in which they were packed. image holds zeros. */
void words_unpack(struct word_packing *packing, void *image, size_t image_bytes);

#endif
