/* Packs images of structs by the kind that they are like. */
#include "image_packing.h"

#include <assert.h>
#include <stdbool.h>

#include "image_kind.h"
#include "memory.h"

/* Packed, an image is: the head; the distances; the exceptions. A distance is read as a whole word that ends where it ends: eight bytes
 * have to stand in front of the first, which the head does. An exception is: how many words after the one before, of which 255 is that
 * and no exception; a token; for TOKEN_EQUAL one more byte; its distance is among the others. */
enum { NEAR = 4, BASE_ZERO = 0, BASE_KIND = 1, BASE_NEAR = 2, BASES = BASE_NEAR + NEAR };
enum { WORD_BYTES = 8, SIZES = WORD_BYTES + 1, TOKEN_EQUAL = BASES * SIZES };
enum { SKIP = 255, PLACES = 256, FEW_EXCEPTIONS = 4, SAMPLES_GROW = 4 };

static_assert(sizeof(struct packed_image) == WORD_BYTES, "the first distance has no word in front");
static_assert(TOKEN_EQUAL + IMAGE_WORDS / 256 <= UINT8_MAX, "tokens no longer fit");

/* Of images before any kind was learnt: all words are zero. */
static const struct image_kind no_kind = {.end = 1 + IMAGE_WORDS, .vary = {UINT16_MAX}};

struct packing {
    const struct image_kind *kind;
    const uint64_t *words;
    uint32_t distance_bytes, exception_bytes, exceptions;
    uint32_t latest_exception;
    uint16_t near[NEAR]; /* places of the latest words that vary, a ring */
    uint32_t near_at;
    uint16_t places[PLACES]; /* where a word of each hash came last; 0: nowhere */
    uint8_t distances[IMAGE_WORDS * WORD_BYTES + WORD_BYTES], tokens[IMAGE_WORDS * 3 + 8];
};

void image_packer_close(struct image_packer *packer)
{
    for (unsigned i = 0; i < IMAGE_KINDS; i++)
        memory_give(packer->kinds[i]);
    for (unsigned i = 0; i < IMAGE_SAMPLES; i++)
        memory_give(packer->samples[i]);
    *packer = (struct image_packer){0};
}

void image_begin(struct image *image)
{
    image->end = 1;
    image->words[0] = 0;
}

void image_put(struct image *image, const void *bytes, size_t size)
{
    uint32_t count = (uint32_t)(size / WORD_BYTES);
    assert(image->end + count <= 1 + IMAGE_WORDS);
    memcpy(image->words + image->end, bytes, count * WORD_BYTES);
    image->end += count;
}

uint32_t image_get(const struct image *image, uint32_t at, void *bytes, size_t size)
{
    memcpy(bytes, image->words + at, size);
    return at + (uint32_t)(size / WORD_BYTES);
}

static unsigned place_of(uint64_t word)
{
    return (unsigned)((word * 0x9e3779b97f4a7c15u) >> 56);
}

/* The lowest byte first: compilers make one store of it where that is the machine's order, and one load of reading it. */
static void write_number(uint8_t *to, uint64_t number)
{
    for (unsigned i = 0; i < WORD_BYTES; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t read_word(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

/* The number of so many bytes that ends there. */
static uint64_t number_before(const uint8_t *end, unsigned bytes)
{
    return bytes == 0 ? 0 : read_word(end - WORD_BYTES) >> (WORD_BYTES * (WORD_BYTES - bytes));
}

static void pack_distance(struct packing *p, uint64_t number, unsigned bytes)
{
    write_number(p->distances + p->distance_bytes, number);
    p->distance_bytes += bytes;
}

static void note_varying(struct packing *p, uint32_t at)
{
    p->near[p->near_at++ % NEAR] = (uint16_t)at;
    p->places[place_of(p->words[at])] = (uint16_t)at;
}

/* The token of the base that a word is nearest to. */
static uint8_t number_token(const struct packing *p, uint32_t at, uint64_t *number)
{
    uint64_t word = p->words[at];
    unsigned nearest = BASE_ZERO;
    *number = fold_sign(word);
    for (unsigned base = BASE_KIND; base < BASES; base++) {
        uint64_t from = base == BASE_KIND ? p->words[p->kind->rules[at].from] + p->kind->plus[at]
                                          : p->words[p->near[(p->near_at + NEAR - 1 - (base - BASE_NEAR)) % NEAR]];
        uint64_t distance = fold_sign(word - from);
        bool nearer = distance < *number;
        *number = nearer ? distance : *number;
        nearest = nearer ? base : nearest;
    }
    return (uint8_t)(nearest * SIZES + number_bytes(*number));
}

static void pack_exception(struct packing *p, uint32_t at)
{
    uint8_t *to = p->tokens + p->exception_bytes;
    uint64_t word = p->words[at], number;
    uint32_t gap = at - p->latest_exception, equal = p->places[place_of(word)];
    for (; gap >= SKIP; gap -= SKIP)
        *to++ = SKIP;
    *to++ = (uint8_t)gap;
    if (word != 0 && equal != 0 && p->words[equal] == word) {
        *to++ = (uint8_t)(TOKEN_EQUAL + equal / 256);
        *to++ = (uint8_t)equal;
    } else {
        uint8_t token = *to++ = number_token(p, at, &number);
        pack_distance(p, number, token % SIZES);
    }
    p->latest_exception = at;
    p->exception_bytes = (uint32_t)(to - p->tokens);
    p->exceptions++;
}

static void pack_word(struct packing *p, uint32_t at)
{
    const struct word_rule *rule = &p->kind->rules[at];
    uint64_t distance = p->words[at] - p->words[rule->from] - p->kind->plus[at], number;
    if (!rule->varies && distance == 0)
        return;
    if (rule->varies && distance_number(distance, rule->unit, &number) && number_bytes(number) <= rule->bytes)
        pack_distance(p, number, rule->bytes);
    else
        pack_exception(p, at);
    note_varying(p, at);
}

static void pack_as(struct packing *p, const struct image_kind *kind, const struct image *image, uint32_t known)
{
    p->kind = kind;
    p->words = image->words;
    p->distance_bytes = p->exception_bytes = p->exceptions = p->near_at = 0;
    p->latest_exception = known;
    memset(p->near, 0, sizeof p->near);
    memset(p->places, 0, sizeof p->places);
    for (uint32_t at = 1; at <= known; at++)
        if (image->words[at] != 0)
            p->places[place_of(image->words[at])] = (uint16_t)at;
    for (uint32_t at = known + 1; at < image->end; at++)
        pack_word(p, at);
}

static const struct image_kind *kind_at(const struct image_packer *packer, uint32_t number)
{
    return number == 0 ? &no_kind : packer->kinds[number - 1];
}

/* How many words that do not vary in the kind do in the image. */
static uint32_t mismatches(const struct image_kind *kind, const struct image *image, uint32_t known)
{
    uint32_t count = 0;
    for (uint32_t at = known + 1; at < image->end; at++)
        count += !kind->rules[at].varies & (kind->plus[at] != image->words[at]);
    return count;
}

static uint32_t likest_kind(const struct image_packer *packer, const struct image *image, uint32_t known)
{
    uint32_t likest = 0, least = UINT32_MAX;
    for (uint32_t number = packer->kind_count; number > 0; number--) {
        uint32_t count = mismatches(kind_at(packer, number), image, known);
        if (count < least) {
            likest = number;
            least = count;
        }
    }
    return likest;
}

/* Each kind takes more images than the one before, so that ones unlike all others do not use them up. */
static void keep_for_learning(struct image_packer *packer, const struct image *image, uint32_t known)
{
    if (packer->kind_count == IMAGE_KINDS)
        return;
    if (packer->sampled_most == 0)
        packer->sampled_most = IMAGE_SAMPLES;
    uint32_t every = packer->sampled_most / IMAGE_SAMPLES, number = packer->sampled++;
    if (number % every != 0)
        return;
    uint64_t **sample = &packer->samples[number / every];
    if (!*sample)
        *sample = memory_take_array(1 + IMAGE_WORDS, sizeof **sample);
    memcpy(*sample, image->words, image->end * sizeof **sample);
    memset(*sample + image->end, 0, (1 + IMAGE_WORDS - image->end) * sizeof **sample);
    if (number / every < IMAGE_SAMPLES - 1)
        return;
    packer->kinds[packer->kind_count++] = image_kind_learn(packer->samples, known, 1 + IMAGE_WORDS);
    packer->latest = packer->kind_count;
    packer->sampled = 0;
    packer->sampled_most *= SAMPLES_GROW;
}

static uint32_t bytes_of(const struct packing *p)
{
    return p->distance_bytes + p->exception_bytes;
}

size_t image_pack(struct image_packer *packer, const struct image *image, uint32_t known, uint8_t note, uint8_t *to)
{
    struct packing first, second;
    const struct packing *best = &first;
    uint32_t number = packer->latest;
    pack_as(&first, kind_at(packer, number), image, known);
    if (first.exceptions > FEW_EXCEPTIONS && packer->kind_count > 1) {
        uint32_t likest = likest_kind(packer, image, known);
        if (likest != number) {
            pack_as(&second, kind_at(packer, likest), image, known);
            if (bytes_of(&second) < bytes_of(&first)) {
                best = &second;
                number = packer->latest = likest;
            }
        }
    }
    struct packed_image head = {.size = (uint16_t)(sizeof head + bytes_of(best)),
                                .distance_bytes = (uint16_t)best->distance_bytes,
                                .exceptions = (uint16_t)best->exceptions,
                                .kind = (uint8_t)number,
                                .note = note};
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, best->distances, best->distance_bytes);
    memcpy(to + sizeof head + best->distance_bytes, best->tokens, best->exception_bytes);
    if (best->exceptions > FEW_EXCEPTIONS)
        keep_for_learning(packer, image, known);
    return head.size;
}

struct unpacking {
    const struct image_kind *kind;
    uint64_t *words;
    const uint8_t *distances, *exceptions; /* the next of each */
    const uint16_t *vary;                  /* likewise */
    uint16_t near[NEAR];
    uint32_t near_at;
};

static void note_unpacked(struct unpacking *u, uint32_t at)
{
    u->near[u->near_at++ % NEAR] = (uint16_t)at;
}

static void unpack_until(struct unpacking *u, uint32_t end)
{
    for (uint32_t at; (at = *u->vary) < end; u->vary++) {
        const struct word_rule *rule = &u->kind->rules[at];
        u->distances += rule->bytes;
        uint64_t distance = unfold_sign(number_before(u->distances, rule->bytes)) * rule->unit;
        u->words[at] = u->words[rule->from] + u->kind->plus[at] + distance;
        note_unpacked(u, at);
    }
}

static uint64_t base_word(const struct unpacking *u, uint32_t at, unsigned base)
{
    if (base == BASE_ZERO)
        return 0;
    if (base == BASE_KIND)
        return u->words[u->kind->rules[at].from] + u->kind->plus[at];
    return u->words[u->near[(u->near_at + NEAR - 1 - (base - BASE_NEAR)) % NEAR]];
}

static void unpack_exception(struct unpacking *u, uint32_t at)
{
    unsigned token = *u->exceptions++;
    if (token >= TOKEN_EQUAL) {
        u->words[at] = u->words[(token - TOKEN_EQUAL) * 256 + *u->exceptions++];
    } else {
        unsigned bytes = token % SIZES;
        u->distances += bytes;
        u->words[at] = base_word(u, at, token / SIZES) + unfold_sign(number_before(u->distances, bytes));
    }
    note_unpacked(u, at);
    u->vary += *u->vary == at;
}

void image_unpack(const struct image_packer *packer, const uint8_t *packed, struct image *image, uint32_t count)
{
    struct packed_image head = packed_image_head(packed);
    uint32_t at = image->end - 1, end = image->end + count;
    struct unpacking u = {.kind = kind_at(packer, head.kind),
                          .words = image->words,
                          .distances = packed + sizeof head,
                          .exceptions = packed + sizeof head + head.distance_bytes};
    assert(end <= 1 + IMAGE_WORDS);
    u.vary = u.kind->vary;
    memcpy(image->words + image->end, u.kind->plus + image->end, count * sizeof *image->words);
    for (uint32_t i = 0; i < head.exceptions; i++) {
        uint8_t gap;
        do {
            gap = *u.exceptions++;
            at += gap;
        } while (gap == SKIP);
        unpack_until(&u, at);
        unpack_exception(&u, at);
    }
    unpack_until(&u, end);
    image->end = end;
}
