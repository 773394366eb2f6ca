/* A number and its noun as a sentence has them: "1 packet", "7 packets". */
#ifndef TDSCOPE_COUNT_WORDS_H
#define TDSCOPE_COUNT_WORDS_H

#include <stdint.h>

enum { COUNT_TEXT_SIZE = 64 };

/* By value: `count_words(3, "packet").text` lives until the statement is over. */
struct count_words {
    char text[COUNT_TEXT_SIZE];
};

/* noun: one that takes an "s". */
struct count_words count_words(uint64_t count, const char *noun);

/* "" or "s". */
const char *count_plural(uint64_t count);

#endif
