/* Packs images of structs word by word. */
#include "word_packing.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Packed, an image is: how many bytes the distances are, in two; the distances; the map; the tokens. A distance is written and read
 * as a whole word, of which what follows overwrites what it does not have: so eight bytes have to follow where it begins, which the map
 * has. Tokens: the word that came so many before; that word of the model; the distance, by kind of base and how many bytes it has. */
enum { PACKING_BACK = 152, TOKEN_BACK = 0, TOKEN_MODEL = PACKING_BACK, TOKEN_NUMBER = PACKING_BACK + PACKING_TABLE };
enum { WORD_BYTES = 8, BASES_ZERO = PACKING_TABLE, BASES_BEGIN = PACKING_TABLE + PACKING_NEAR };

static unsigned place_of(uint64_t word)
{
    return (unsigned)((word * 0x9e3779b97f4a7c15u) >> 58);
}

/* Distances of either sign as small numbers: 0, -1, 1, -2, ... */
static uint64_t fold_sign(uint64_t distance)
{
    return (distance << 1) ^ (0 - (distance >> 63));
}

static uint64_t unfold_sign(uint64_t folded)
{
    return (folded >> 1) ^ (0 - (folded & 1));
}

/* The base is at offset, or, where that is one back, at so many before the end. */
struct token_meaning {
    uint64_t mask;            /* of the distance */
    uint16_t bytes;           /* likewise */
    uint16_t counted, offset; /* base: (end & counted) + offset */
};

#define BACK(before)                                                                                                   \
    {                                                                                                                  \
        0, 0, UINT16_MAX, (uint16_t)(UINT16_MAX - (before))                                                            \
    }
#define MODEL(number)                                                                                                  \
    {                                                                                                                  \
        0, 0, 0, (number)                                                                                              \
    }
#define NUMBER(from, size)                                                                                             \
    {                                                                                                                  \
        UINT64_MAX >> (64 - 8 * (size)), (size), (from) ? UINT16_MAX : 0,                                              \
            (from) ? (uint16_t)(UINT16_MAX + 1 - (from)) : BASES_ZERO                                                  \
    }
#define NUMBERS(from)                                                                                                  \
    NUMBER(from, 1), NUMBER(from, 2), NUMBER(from, 3), NUMBER(from, 4), NUMBER(from, 5), NUMBER(from, 6),              \
        NUMBER(from, 7), NUMBER(from, 8)
#define FOUR(of, number) of(number), of((number) + 1), of((number) + 2), of((number) + 3)
#define SIXTEEN(of, number) FOUR(of, number), FOUR(of, (number) + 4), FOUR(of, (number) + 8), FOUR(of, (number) + 12)

static const struct token_meaning meanings[256] = {
    SIXTEEN(BACK, 0),  SIXTEEN(BACK, 16), SIXTEEN(BACK, 32),  SIXTEEN(BACK, 48),  SIXTEEN(BACK, 64),
    SIXTEEN(BACK, 80), SIXTEEN(BACK, 96), SIXTEEN(BACK, 112), SIXTEEN(BACK, 128), FOUR(BACK, 144),
    FOUR(BACK, 148),   SIXTEEN(MODEL, 0), SIXTEEN(MODEL, 16), SIXTEEN(MODEL, 32), SIXTEEN(MODEL, 48),
    NUMBERS(0),        NUMBERS(1),        NUMBERS(2),         NUMBERS(3),         NUMBERS(4),
};
static_assert(PACKING_BACK == 152 && PACKING_TABLE == 64 && PACKING_NEAR == 4, "the meanings are written for these");

void word_packing_begin(struct word_packing *packing, uint8_t *at, const struct packing_model *model)
{
    packing->at = at;
    packing->end = BASES_BEGIN;
    memset(packing->places, 0, sizeof packing->places);
    memcpy(packing->bases, model->words, sizeof model->words);
    memset(packing->bases + BASES_ZERO, 0, PACKING_NEAR * sizeof *packing->bases);
}

static unsigned bytes_of(uint64_t word)
{
    unsigned wide = (word >> 32 != 0) * 4u;
    uint32_t half = (uint32_t)(word >> (wide * 8));
    return wide + 1 + (half > 0xff) + (half > 0xffff) + (half > 0xffffff);
}

/* Sets what follows the token: the shortest distance. */
static uint8_t number_token(const struct word_packing *packing, uint64_t word, uint64_t *number)
{
    const uint64_t *end = packing->bases + packing->end;
    unsigned nearest = 0;
    *number = fold_sign(word);
    for (unsigned back = 1; back <= PACKING_NEAR; back++) {
        uint64_t distance = fold_sign(word - *(end - back));
        bool nearer = distance < *number;
        *number = nearer ? distance : *number;
        nearest = nearer ? back : nearest;
    }
    return (uint8_t)(TOKEN_NUMBER + nearest * WORD_BYTES + bytes_of(*number) - 1);
}

static uint8_t token_of(struct word_packing *packing, uint64_t word, uint64_t *number)
{
    unsigned place = place_of(word);
    uint16_t latest = packing->places[place];
    uint32_t back = packing->end - latest;
    packing->places[place] = (uint16_t)packing->end;
    *number = 0;
    if (packing->bases[place] == word)
        return (uint8_t)(TOKEN_MODEL + place);
    if (back <= PACKING_BACK && packing->bases[latest] == word)
        return (uint8_t)(TOKEN_BACK + back - 1);
    return number_token(packing, word, number);
}

/* The lowest byte first: compilers make one store of it where that is the machine's order, and one load of reading it. */
static void write_number(uint8_t *to, uint64_t number)
{
    for (unsigned i = 0; i < WORD_BYTES; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t read_number(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

void words_pack(struct word_packing *packing, const void *image, size_t image_bytes)
{
    uint64_t map[PACKING_WORDS / 64] = {0};
    uint8_t tokens[PACKING_WORDS], *at = packing->at + sizeof(uint16_t);
    size_t words = image_bytes / WORD_BYTES, token_count = 0, map_bytes = (words + 63) / 64 * sizeof *map;
    assert(packing->end + words <= BASES_BEGIN + PACKING_WORDS);
    for (size_t i = 0; i < words; i++) {
        uint64_t word, number;
        memcpy(&word, (const uint8_t *)image + i * WORD_BYTES, sizeof word);
        if (word == 0)
            continue;
        map[i / 64] |= (uint64_t)1 << (i % 64);
        uint8_t token = tokens[token_count++] = token_of(packing, word, &number);
        packing->bases[packing->end++] = word;
        write_number(at, number);
        at += meanings[token].bytes;
    }
    uint16_t distance_bytes = (uint16_t)((size_t)(at - packing->at) - sizeof(uint16_t));
    memcpy(packing->at, &distance_bytes, sizeof distance_bytes);
    memcpy(at, map, map_bytes);
    memcpy(at + map_bytes, tokens, token_count);
    packing->at = at + map_bytes + token_count;
}

/* The number of the lowest bit that is set: multiplied by a de Bruijn sequence, each power of two has its own six highest bits. */
static unsigned lowest_bit(uint64_t bits)
{
    static const uint8_t numbers[64] = {0,  1,  2,  53, 3,  7,  54, 27, 4,  38, 41, 8,  34, 55, 48, 28,
                                        62, 5,  39, 46, 44, 42, 22, 9,  24, 35, 59, 56, 49, 18, 29, 11,
                                        63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10,
                                        51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12};
    return numbers[((bits & (0 - bits)) * 0x022fdd63cc95386du) >> 58];
}

void words_unpack(struct word_packing *packing, void *image, size_t image_bytes)
{
    uint16_t distance_bytes;
    memcpy(&distance_bytes, packing->at, sizeof distance_bytes);
    const uint8_t *distances = packing->at + sizeof distance_bytes, *map = distances + distance_bytes;
    size_t words = image_bytes / WORD_BYTES, maps = (words + 63) / 64;
    const uint8_t *tokens = map + maps * sizeof(uint64_t);
    uint32_t end = packing->end;
    assert(packing->end + words <= BASES_BEGIN + PACKING_WORDS);
    for (size_t i = 0; i < maps; i++) {
        uint8_t *to = (uint8_t *)image + i * 64 * WORD_BYTES;
        uint64_t bits;
        memcpy(&bits, map + i * sizeof bits, sizeof bits);
        for (; bits != 0; bits &= bits - 1) {
            const struct token_meaning *meaning = &meanings[*tokens++];
            uint64_t base = packing->bases[(uint16_t)((end & meaning->counted) + meaning->offset)];
            uint64_t word = base + unfold_sign(read_number(distances) & meaning->mask);
            distances += meaning->bytes;
            packing->bases[end++] = word;
            memcpy(to + lowest_bit(bits) * WORD_BYTES, &word, sizeof word);
        }
    }
    packing->end = end;
    packing->at += (size_t)(tokens - packing->at);
}

static void each_word(struct packing_model *model, const void *image, size_t image_bytes,
                      void (*visit)(struct packing_model *model, uint64_t word))
{
    for (size_t i = 0; i < image_bytes; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, (const uint8_t *)image + i, sizeof word);
        if (word != 0)
            visit(model, word);
    }
}

static void learn_if_seen(struct packing_model *model, uint64_t word)
{
    unsigned place = place_of(word);
    if (model->seen[place] == word && model->words[place] == 0)
        model->words[place] = word;
}

static void see(struct packing_model *model, uint64_t word)
{
    model->seen[place_of(word)] = word;
}

void words_learn(struct packing_model *model, const void *image, size_t image_bytes)
{
    each_word(model, image, image_bytes, learn_if_seen);
    each_word(model, image, image_bytes, see);
}
