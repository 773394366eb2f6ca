/* Which files one capture was written to, by their names. */
#ifndef TDSCOPE_CAPTURE_SERIES_H
#define TDSCOPE_CAPTURE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

enum { CAPTURE_SERIES_FORMS = 2 };

/* The path without what may count or date it, and the number that was taken away. */
struct capture_series {
    struct text forms[CAPTURE_SERIES_FORMS];
    uint32_t hashes[CAPTURE_SERIES_FORMS];
    bool counted[CAPTURE_SERIES_FORMS]; /* numbers are 0 where a name has none: the first file of some tools */
    uint64_t numbers[CAPTURE_SERIES_FORMS];
};

void capture_series_open(struct capture_series *series, const char *path);

/* Whether both can be files of one capture that goes on from file to file: they differ in nothing but the number or the date
 * that counts them. What is not the same is two captures. What is may be two, too: of `sql1.pcap` and `sql2.pcap` the names cannot say. */
bool capture_series_same(const struct capture_series *a, const struct capture_series *b);

/* Files that the series had between these two, by the numbers in their names. */
struct files_left_out {
    uint64_t first, last; /* numbers; first > last: none, or the names do not say */
};
struct files_left_out capture_series_left_out(const struct capture_series *earlier, const struct capture_series *later);

void capture_series_close(struct capture_series *series);

#endif
