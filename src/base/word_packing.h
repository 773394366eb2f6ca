/*
 * Packs images of structs: mostly zeros, and times, pointers and numbers that are near to others of their kind.
 *
 * Theory of operation: an image is read as 64-bit words. A map of bits says which are not zero. Each of these has a token, a byte, that
 * names a base, and how many bytes follow of its distance from that base: a word that came shortly before, in this packing; or a word of
 * the model, an image of the same kind; or zero. Unpacking is what passages over many conversations wait for, so it looks tokens
 * up instead of deciding: nothing in it branches but the search for the next bit. Packed bytes mean something on this machine and in
 * this run only.
 */
#ifndef TDSCOPE_WORD_PACKING_H
#define TDSCOPE_WORD_PACKING_H

#include <stddef.h>
#include <stdint.h>

enum { PACKING_TABLE = 64, PACKING_NEAR = 4, PACKING_WORDS = 1024 };

/* The most that an image of so many bytes takes packed: the size of the distances, each word's token and distance, and the map. */
#define PACKED_IMAGE_MOST(bytes) (2 + (bytes) / 8 * 9 + ((bytes) / 8 + 63) / 64 * 8)

/* Words that images have in common; begins as zero. Once set they stay, so that what was packed before can still be unpacked. */
struct packing_model {
    uint64_t words[PACKING_TABLE]; /* zero: none */
    uint64_t seen[PACKING_TABLE];  /* words of the image before */
};

/* One packing or unpacking, of any number of images after each other that together have at most PACKING_WORDS words. */
struct word_packing {
    uint8_t *at;                    /* the next byte to write or read */
    uint32_t end;                   /* of bases */
    uint16_t places[PACKING_TABLE]; /* packing only: where in bases a word of each hash came last; 0: nowhere */
    uint64_t
        bases[PACKING_TABLE + PACKING_NEAR + PACKING_WORDS]; /* of the model; zeros; words that came before, in order */
};

/* The model is the same for packing and unpacking. */
void word_packing_begin(struct word_packing *packing, uint8_t *at, const struct packing_model *model);

/* image_bytes is a multiple of 8. Writes at most PACKED_IMAGE_MOST(image_bytes). */
void words_pack(struct word_packing *packing, const void *image, size_t image_bytes);

/* Adds words to the model, where it has room, that this image has in common with one before. */
void words_learn(struct packing_model *model, const void *image, size_t image_bytes);

/* Of images in the order and the sizes in which they were packed. image holds zeros. */
void words_unpack(struct word_packing *packing, void *image, size_t image_bytes);

#endif
