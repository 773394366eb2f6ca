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
static const struct word_rule no_rule = {.at = UINT16_MAX};
static const struct image_kind no_kind = {.rules = &no_rule};

struct packing {
    const struct image_kind *kind;
    const uint64_t *words;
    const struct word_rule *rule; /* of the next word that varies */
    uint8_t *distance, *token;    /* where the next of each goes */
    uint32_t exceptions, latest_exception;
    uint16_t places[PLACES]; /* where a word of each hash came last; 0: nowhere */
    uint8_t distances[IMAGE_WORDS * WORD_BYTES + WORD_BYTES], tokens[IMAGE_WORDS * 3 + 8];
};

void image_packer_close(struct image_packer *packer)
{
    for (unsigned i = 0; i < IMAGE_KINDS; i++)
        image_kind_give(packer->kinds[i]);
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

/* The lowest byte first. Compilers do not always make one load of eight bytes that are put together. */
static bool lowest_is_first(void)
{
    static const union {
        uint64_t word;
        uint8_t first;
    } one = {1};
    return one.first == 1;
}

static void write_word(uint8_t *to, uint64_t word)
{
    for (unsigned i = 0; i < WORD_BYTES && !lowest_is_first(); i++)
        to[i] = (uint8_t)(word >> (8 * i));
    if (lowest_is_first())
        memcpy(to, &word, sizeof word);
}

static uint64_t read_word(const uint8_t *at)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < WORD_BYTES && !lowest_is_first(); i++)
        word |= (uint64_t)at[i] << (8 * i);
    if (lowest_is_first())
        memcpy(&word, at, sizeof word);
    return word;
}

static void pack_distance(struct packing *p, uint64_t number, unsigned bytes)
{
    write_word(p->distance, number);
    p->distance += bytes;
}

static void note_place(struct packing *p, uint32_t at)
{
    p->places[place_of(p->words[at])] = (uint16_t)at;
}

/* What an exception is told from. rule: of the first word that varies from there on. */
static uint64_t base_word(const struct image_kind *kind, const uint64_t *words, const struct word_rule *rule,
                          uint32_t at, unsigned base)
{
    if (base == BASE_ZERO)
        return 0;
    if (base == BASE_KIND)
        return rule->at == at ? words[rule->from] + rule->plus : kind->words[at];
    ptrdiff_t back = (ptrdiff_t)(base - BASE_NEAR) + 1;
    return rule - kind->rules < back ? 0 : words[rule[-back].at];
}

/* The token of the base that a word is nearest to. */
static uint8_t number_token(const struct packing *p, uint32_t at, uint64_t *number)
{
    unsigned nearest = BASE_ZERO;
    *number = fold_sign(p->words[at]);
    for (unsigned base = BASE_KIND; base < BASES; base++) {
        uint64_t distance = fold_sign(p->words[at] - base_word(p->kind, p->words, p->rule, at, base));
        bool nearer = distance < *number;
        *number = nearer ? distance : *number;
        nearest = nearer ? base : nearest;
    }
    return (uint8_t)(nearest * SIZES + number_bytes(*number));
}

static void pack_exception(struct packing *p, uint32_t at)
{
    uint64_t word = p->words[at], number;
    uint32_t gap = at - p->latest_exception, equal = p->places[place_of(word)];
    for (; gap >= SKIP; gap -= SKIP)
        *p->token++ = SKIP;
    *p->token++ = (uint8_t)gap;
    if (word != 0 && equal != 0 && p->words[equal] == word) {
        *p->token++ = (uint8_t)(TOKEN_EQUAL + equal / 256);
        *p->token++ = (uint8_t)equal;
    } else {
        uint8_t token = *p->token++ = number_token(p, at, &number);
        pack_distance(p, number, token % SIZES);
    }
    p->latest_exception = at;
    p->exceptions++;
    note_place(p, at);
}

/* Words that do not vary in the kind. */
static void pack_until(struct packing *p, uint32_t at, uint32_t end)
{
    for (; at < end; at++)
        if (p->words[at] != p->kind->words[at])
            pack_exception(p, at);
}

static void pack_varying(struct packing *p)
{
    const struct word_rule *rule = p->rule;
    uint64_t distance = p->words[rule->at] - p->words[rule->from] - rule->plus, number;
    if (!distance_number(distance, rule->unit, &number) || number_bytes(number) > rule->bytes) {
        pack_exception(p, rule->at);
        return;
    }
    pack_distance(p, number, rule->bytes);
    note_place(p, rule->at);
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void pack_as(struct packing *p, const struct image_kind *kind, const struct image *image, uint32_t known)
{
    uint32_t at = known + 1;
    p->kind = kind;
    p->words = image->words;
    p->rule = kind->rules;
    p->distance = p->distances;
    p->token = p->tokens;
    p->exceptions = 0;
    p->latest_exception = known;
    memset(p->places, 0, sizeof p->places);
    for (const uint16_t *place = kind->varying_known; *place != 0; place++)
        note_place(p, *place);
    while (at < image->end) {
        pack_until(p, at, lesser(p->rule->at, image->end));
        at = p->rule->at + 1u;
        if (p->rule->at < image->end)
            pack_varying(p);
        p->rule++;
    }
}

static const struct image_kind *kind_at(const struct image_packer *packer, uint32_t number)
{
    return number == 0 ? &no_kind : packer->kinds[number - 1];
}

/* How many words vary that do not in the kind, about. */
static uint32_t mismatches(const struct image_kind *kind, const struct image *image, uint32_t known)
{
    uint32_t count = 0;
    for (uint32_t at = known + 1; at < image->end; at++)
        count += kind->words[at] != image->words[at];
    return count < kind->rule_count ? 0 : count - kind->rule_count;
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
    packer->kinds[packer->kind_count++] = image_kind_learn(packer->samples, known);
    packer->latest = packer->kind_count;
    packer->sampled = 0;
    packer->sampled_most *= SAMPLES_GROW;
}

static size_t distance_bytes(const struct packing *p)
{
    return (size_t)(p->distance - p->distances);
}

static size_t exception_bytes(const struct packing *p)
{
    return (size_t)(p->token - p->tokens);
}

static size_t bytes_of(const struct packing *p)
{
    return sizeof(struct packed_image) + distance_bytes(p) + exception_bytes(p);
}

static size_t write_packed(const struct packing *p, uint32_t kind, uint8_t note, uint8_t *to)
{
    struct packed_image head = {.size = (uint16_t)bytes_of(p),
                                .distance_bytes = (uint16_t)distance_bytes(p),
                                .exceptions = (uint16_t)p->exceptions,
                                .kind = (uint8_t)kind,
                                .note = note};
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, p->distances, head.distance_bytes);
    memcpy(to + sizeof head + head.distance_bytes, p->tokens, exception_bytes(p));
    return head.size;
}

size_t image_pack(struct image_packer *packer, const struct image *image, uint32_t known, uint8_t note, uint8_t *to)
{
    struct packing first, second;
    const struct packing *best = &first;
    pack_as(&first, kind_at(packer, packer->latest), image, known);
    if (first.exceptions > FEW_EXCEPTIONS && packer->kind_count > 1) {
        uint32_t likest = likest_kind(packer, image, known);
        if (likest != packer->latest)
            pack_as(&second, kind_at(packer, likest), image, known);
        if (likest != packer->latest && bytes_of(&second) < bytes_of(&first)) {
            best = &second;
            packer->latest = likest;
        }
    }
    size_t size = write_packed(best, packer->latest, note, to);
    if (best->exceptions > FEW_EXCEPTIONS)
        keep_for_learning(packer, image, known);
    return size;
}

struct unpacking {
    const struct image_kind *kind;
    uint64_t *words;
    const uint8_t *distance;      /* the end of the one before the next */
    const struct word_rule *rule; /* of the next word that varies */
};

/* Nothing in it branches but its end. */
static void unpack_until(struct unpacking *u, uint32_t end)
{
    const struct word_rule *rule = u->rule;
    const uint8_t *distance = u->distance;
    for (; rule->at < end; rule++) {
        distance += rule->bytes;
        uint64_t units = unfold_sign(read_word(distance - WORD_BYTES) >> rule->shift);
        u->words[rule->at] = u->words[rule->from] + rule->plus + units * rule->unit;
    }
    u->rule = rule;
    u->distance = distance;
}

static uint64_t unpack_number(struct unpacking *u, uint32_t at, unsigned token)
{
    unsigned bytes = token % SIZES;
    uint64_t base = base_word(u->kind, u->words, u->rule, at, token / SIZES);
    if (bytes == 0)
        return base;
    u->distance += bytes;
    return base + unfold_sign(read_word(u->distance - WORD_BYTES) >> (WORD_BYTES * (WORD_BYTES - bytes)));
}

/* Returns what stands behind its token. */
static const uint8_t *unpack_exception(struct unpacking *u, uint32_t at, const uint8_t *token)
{
    if (*token < TOKEN_EQUAL) {
        u->words[at] = unpack_number(u, at, *token);
        token++;
    } else {
        u->words[at] = u->words[(*token - TOKEN_EQUAL) * 256 + token[1]];
        token += 2;
    }
    u->rule += u->rule->at == at;
    return token;
}

void image_unpack(const struct image_packer *packer, const uint8_t *packed, struct image *image, uint32_t count)
{
    struct packed_image head = packed_image_head(packed);
    struct unpacking u = {.kind = kind_at(packer, head.kind), .words = image->words, .distance = packed + sizeof head};
    const uint8_t *token = packed + sizeof head + head.distance_bytes;
    uint32_t at = image->end - 1, end = image->end + count;
    assert(end <= 1 + IMAGE_WORDS);
    u.rule = u.kind->rules;
    memcpy(image->words + image->end, u.kind->words + image->end, count * sizeof *image->words);
    for (uint32_t i = 0; i < head.exceptions; i++) {
        uint8_t gap;
        do {
            gap = *token++;
            at += gap;
        } while (gap == SKIP);
        unpack_until(&u, at);
        token = unpack_exception(&u, at, token);
    }
    unpack_until(&u, end);
    image->end = end;
}
