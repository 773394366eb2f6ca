/* Learns from a few images how their words follow from each other. */
#include "image_kind.h"

#include "memory.h"

enum { EXCEPTION_BYTES = 3, BYTES_MOST = 8, UNIT_US = 1000 };

struct learning {
    uint64_t *const *samples;
    uint32_t at;                       /* the word that is looked at */
    uint32_t least;                    /* bytes of all samples, by the best rule so far */
    struct word_rule best;             /* that rule */
    uint16_t sources[1 + IMAGE_WORDS]; /* the words ahead that vary */
    uint32_t source_count;
    struct word_rule *rules; /* of the kind */
};

static uint64_t difference(const struct learning *l, unsigned sample, uint32_t from)
{
    return l->samples[sample][l->at] - l->samples[sample][from];
}

static struct word_rule rule_of(uint32_t at, uint32_t from, uint64_t plus, uint16_t unit, unsigned bytes)
{
    return (struct word_rule){.plus = plus,
                              .at = (uint16_t)at,
                              .from = (uint16_t)from,
                              .unit = bytes > 0 ? unit : 0,
                              .bytes = (uint8_t)bytes,
                              .shift = (uint8_t)(bytes > 0 ? 8 * (BYTES_MOST - bytes) : 0)};
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
        l->best = rule_of(l->at, from, plus, unit, bytes);
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

/* Near sources first: they are what a word most likely belongs to. */
static void learn_word(struct learning *l, struct image_kind *kind)
{
    l->least = UINT32_MAX;
    weigh_from(l, 0);
    for (uint32_t i = l->source_count; i > 0 && l->least > 0; i--)
        weigh_from(l, l->sources[i - 1]);
    kind->words[l->at] = l->best.plus;
    if (l->best.from != 0 || l->best.bytes > 0)
        l->rules[kind->rule_count++] = l->best;
}

struct image_kind *image_kind_learn(uint64_t *const *samples, uint32_t known)
{
    struct image_kind *kind = memory_take(sizeof *kind);
    struct learning l = {.samples = samples, .rules = memory_take_array(1 + IMAGE_WORDS, sizeof *l.rules)};
    for (l.at = 1; l.at <= IMAGE_WORDS; l.at++) {
        bool varies = samples_vary(&l);
        if (l.at > known && varies)
            learn_word(&l, kind);
        else if (l.at > known)
            kind->words[l.at] = samples[0][l.at];
        else if (varies)
            kind->varying_known[l.source_count] = (uint16_t)l.at;
        if (varies)
            l.sources[l.source_count++] = (uint16_t)l.at;
    }
    l.rules[kind->rule_count].at = UINT16_MAX;
    kind->rules = memory_grow(l.rules, kind->rule_count + 1, sizeof *kind->rules);
    return kind;
}

void image_kind_give(struct image_kind *kind)
{
    if (!kind)
        return;
    memory_give((void *)(uintptr_t)kind->rules);
    memory_give(kind);
}
