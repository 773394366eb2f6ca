/* Packs images of structs word by word. */
#include "word_packing.h"

#include <string.h>

enum { TOKEN_ZEROS = 0x00, TOKEN_RECENT = 0x40, TOKEN_NUMBER = 0x80, TOKEN_MODEL = 0xc0, ZEROS_MOST = 0x40 };

static unsigned bytes_of(uint64_t word)
{
    unsigned wide = (word >> 32 != 0) * 4u;
    uint32_t half = (uint32_t)(word >> (wide * 8));
    return wide + 1 + (half > 0xff) + (half > 0xffff) + (half > 0xffffff);
}

/* By size, so that pointers are near pointers; and times of the years 2006 to 2043 apart from other large words. 0 is no kind. */
static unsigned kind_of(uint64_t word)
{
    return 1u + (word >> 32 != 0) + (word >> 48 != 0) + (word >> 56 != 0) + (word >> 60 == 1);
}

static unsigned place_of(uint64_t word)
{
    return (unsigned)((word * 0x9e3779b97f4a7c15u) >> 58);
}

static void remember(struct word_packing *packing, uint64_t word)
{
    packing->recent[place_of(word)] = word;
    packing->last[kind_of(word)] = word;
}

/* Distances of either sign as small numbers: 0, -1, 1, -2, ... */
static uint64_t fold_sign(uint64_t distance)
{
    return distance >> 63 ? ~(distance << 1) : distance << 1;
}

static uint64_t unfold_sign(uint64_t folded)
{
    return folded & 1 ? ~(folded >> 1) : folded >> 1;
}

static void put_number(struct word_packing *packing, unsigned kind, uint64_t number)
{
    unsigned bytes = bytes_of(number);
    *packing->at++ = (uint8_t)(TOKEN_NUMBER | kind << 3 | (bytes - 1));
    for (unsigned i = 0; i < bytes; i++)
        *packing->at++ = (uint8_t)(number >> (8 * i));
}

static void put_word(struct word_packing *packing, uint64_t word)
{
    unsigned kind = kind_of(word), place = place_of(word);
    uint64_t distance = fold_sign(word - packing->last[kind]);
    if (packing->model->words[place] == word)
        *packing->at++ = (uint8_t)(TOKEN_MODEL | place);
    else if (packing->recent[place] == word)
        *packing->at++ = (uint8_t)(TOKEN_RECENT | place);
    else if (bytes_of(distance) < bytes_of(word))
        put_number(packing, kind, distance);
    else
        put_number(packing, 0, word);
    remember(packing, word);
}

void words_pack(struct word_packing *packing, const void *image, size_t image_bytes)
{
    const uint8_t *from = image;
    unsigned zeros = 0;
    for (size_t i = 0; i < image_bytes; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, from + i, sizeof word);
        if (zeros > 0 && (word != 0 || zeros == ZEROS_MOST)) {
            *packing->at++ = (uint8_t)(TOKEN_ZEROS | (zeros - 1));
            zeros = 0;
        }
        if (word == 0)
            zeros++;
        else
            put_word(packing, word);
    }
    if (zeros > 0)
        *packing->at++ = (uint8_t)(TOKEN_ZEROS | (zeros - 1));
}

static uint64_t take_number(struct word_packing *packing, uint8_t token)
{
    uint64_t number = 0;
    const uint8_t *at = packing->at;
    switch (token & 7u) {
    case 7:
        number |= (uint64_t)at[7] << 56; /* fall through */
    case 6:
        number |= (uint64_t)at[6] << 48; /* fall through */
    case 5:
        number |= (uint64_t)at[5] << 40; /* fall through */
    case 4:
        number |= (uint64_t)at[4] << 32; /* fall through */
    case 3:
        number |= (uint64_t)at[3] << 24; /* fall through */
    case 2:
        number |= (uint64_t)at[2] << 16; /* fall through */
    case 1:
        number |= (uint64_t)at[1] << 8; /* fall through */
    default:
        number |= at[0];
    }
    packing->at += (token & 7u) + 1;
    unsigned kind = token >> 3 & 7u;
    return kind == 0 ? number : packing->last[kind] + unfold_sign(number);
}

void words_unpack(struct word_packing *packing, void *image, size_t image_bytes)
{
    uint8_t *to = image;
    for (size_t i = 0; i < image_bytes;) {
        uint8_t token = *packing->at++;
        if (token < TOKEN_RECENT) {
            i += (token + 1u) * sizeof(uint64_t);
            continue;
        }
        uint64_t word = token < TOKEN_NUMBER  ? packing->recent[token - TOKEN_RECENT]
                        : token < TOKEN_MODEL ? take_number(packing, token)
                                              : packing->model->words[token - TOKEN_MODEL];
        remember(packing, word);
        memcpy(to + i, &word, sizeof word);
        i += sizeof word;
    }
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
