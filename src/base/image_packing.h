/*
 * Packs images of structs that are alike: the facts of one capture's conversations, say.
 *
 * Theory of operation. An image is read as 64-bit words. A *kind* has learnt from images before how each word follows from one that stands
 * further ahead in the same image:
 *
 *     word = word it follows from + what is between them + a distance of so many bytes
 *
 * Most words are the same in all images of a kind: they follow from the zero in front of every image, without a distance. Many others are
 * a time or a number that stood there already. So of an image only the distances are kept, and exceptions: words for which its kind is
 * wrong. Where there are many of these, the image is kept for learning, and once there are some, a new kind is made of them. Kinds never
 * change, so what was packed before can still be unpacked.
 *
 * Unpacking is what passages over many conversations wait for: it copies the kind's words and goes through those that vary. Packed bytes
 * mean something on this machine and in this run only.
 */
#ifndef TDSCOPE_IMAGE_PACKING_H
#define TDSCOPE_IMAGE_PACKING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { IMAGE_WORDS = 640, IMAGE_KINDS = 8, IMAGE_SAMPLES = 16 };

struct image {
    uint32_t end; /* one past the last word */
    uint64_t words[1 + IMAGE_WORDS];
};

/* What a packed image begins with. */
struct packed_image {
    uint16_t size; /* with this head */
    uint16_t distance_bytes, exceptions;
    uint8_t kind;
    uint8_t note; /* the caller's own */
};

/* The most that an image of so many words takes packed. */
#define PACKED_IMAGE_MOST(count) (sizeof(struct packed_image) + (count)*11 + 1)

struct image_kind;

/* Begins as zero. */
struct image_packer {
    struct image_kind *kinds[IMAGE_KINDS];
    uint64_t *samples[IMAGE_SAMPLES]; /* images, of the length of the longest; NULL: none yet */
    uint32_t kind_count, latest;
    uint32_t sampled, sampled_most; /* images with many exceptions since the newest kind; of so many the next is made */
};

void image_packer_close(struct image_packer *packer);

void image_begin(struct image *image);

/* Where the first word of every image stands. */
static inline uint32_t image_first(void)
{
    return 1;
}

/* Puts words at the image's end; size is a multiple of 8. */
void image_put(struct image *image, const void *bytes, size_t size);

/* Reads words from the at-th on. Returns where those after them stand. */
uint32_t image_get(const struct image *image, uint32_t at, void *bytes, size_t size);

/* All images of one packer begin with as many known words, which are not packed: unpacking finds them in the image. Returns the size
 * written, at most PACKED_IMAGE_MOST() of the words that are not known. */
size_t image_pack(struct image_packer *packer, const struct image *image, uint32_t known, uint8_t note, uint8_t *to);

/* image holds the known words; count: of those that were packed. */
void image_unpack(const struct image_packer *packer, const uint8_t *packed, struct image *image, uint32_t count);

static inline struct packed_image packed_image_head(const uint8_t *packed)
{
    struct packed_image head;
    memcpy(&head, packed, sizeof head);
    return head;
}

#endif
