/* Numbers and their nouns. */
#include "count_words.h"

#include <inttypes.h>
#include <stdio.h>

const char *count_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

struct count_words count_words(uint64_t count, const char *noun)
{
    struct count_words words;
    snprintf(words.text, sizeof words.text, "%" PRIu64 " %s%s", count, noun, count_plural(count));
    return words;
}
