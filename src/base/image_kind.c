/* Learns from a few images how their words follow from each other. */
#include "image_kind.h"

#include "memory.h"

enum { EXCEPTION_BYTES = 3, BYTES_MOST = 8, UNIT_US = 1000 };

struct learning {
    uint64_t *const *samples;
    struct image_kind *kind;
    uint32_t at; /* the word that is looked at */
    uint32_t least; /* bytes of all samples, by the best rule so far */
};

static uint64_t difference(const struct learning *l, unsigned sample, uint32_t from)
{
    return l->samples[sample][l->at] - l->samples[sample][from];
}

/* By the fewest bytes of distance that pay: longer ones are exceptions. */
static void weigh(struct learning *l, uint32_t from, uint64_t plus, uint16_t unit)
{
    uint32_t sizes[BYTES_MOST + 2] = {0};
    for (unsigned i = 0; i < IMAGE_SAMPLES; i++) {
        uint64_t number;
        bool fits = distance_number(difference(l, i, from) - plus, unit, &number);
        sizes[fits ? number_bytes(number) : BYTES_MOST + 1]++;
    }
    for (uint32_t bytes = 0; bytes <= BYTES_MOST; bytes++) {
        uint32_t cost = 0;
        for (uint32_t size = 0; size < BYTES_MOST + 2; size++)
            cost += sizes[size] * (size <= bytes ? bytes : size + EXCEPTION_BYTES);
        if (cost >= l->least)
            continue;
        l->least = cost;
        l->kind->rules[l->at] = (struct word_rule){.from = (uint16_t)from, .unit = unit, .bytes = (uint8_t)bytes};
        l->kind->plus[l->at] = plus;
    }
}

/* The difference that more than half of the samples have, if there is one; else one of them. */
static uint64_t common_difference(const struct learning *l, uint32_t from)
{
    uint64_t common = 0;
    unsigned votes = 0;
    for (unsigned i = 0; i < IMAGE_SAMPLES; i++) {
        uint64_t now = difference(l, i, from);
        if (votes == 0)
            common = now;
        votes = now == common ? votes + 1 : votes - 1;
    }
    return common;
}

static void weigh_from(struct learning *l, uint32_t from)
{
    uint64_t common = common_difference(l, from);
    weigh(l, from, common, 1);
    if (l->least == 0)
        return;
    weigh(l, from, 0, 1);
    weigh(l, from, common, UNIT_US);
    weigh(l, from, 0, UNIT_US);
}

static bool samples_vary(const struct learning *l)
{
    for (unsigned i = 1; i < IMAGE_SAMPLES; i++)
        if (l->samples[i][l->at] != l->samples[0][l->at])
            return true;
    return false;
}

/* Near ones first: they are what a word most likely belongs to. */
static void learn_word(struct learning *l, const uint16_t *sources, uint32_t source_count)
{
    l->least = UINT32_MAX;
    weigh_from(l, 0);
    for (uint32_t i = source_count; i > 0 && l->least > 0; i--)
        weigh_from(l, sources[i - 1]);
    const struct word_rule *rule = &l->kind->rules[l->at];
    l->kind->rules[l->at].varies = rule->from != 0 || rule->bytes > 0;
}

struct image_kind *image_kind_learn(uint64_t *const *samples, uint32_t known, uint32_t end)
{
    struct image_kind *kind = memory_take(sizeof *kind);
    struct learning l = {.samples = samples, .kind = kind};
    uint16_t sources[1 + IMAGE_WORDS];
    uint32_t source_count = 0, vary = 0;
    kind->end = end;
    for (l.at = 1; l.at < end; l.at++) {
        bool varies = samples_vary(&l);
        if (l.at > known)
            learn_word(&l, sources, varies ? source_count : 0);
        if (kind->rules[l.at].varies)
            kind->vary[vary++] = (uint16_t)l.at;
        if (varies)
            sources[source_count++] = (uint16_t)l.at;
    }
    kind->vary[vary] = UINT16_MAX;
    return kind;
}
