/* Searches lists that are sorted. */
#ifndef TDSCOPE_SORTED_H
#define TDSCOPE_SORTED_H

#include <stddef.h>
#include <stdint.h>

/* The first place whose element does not come before the wanted one; count: all do. Arguments as bsearch() has them. */
static inline uint32_t sorted_place(const void *wanted, const void *list, uint32_t count, size_t size,
                                    int (*compare)(const void *, const void *))
{
    const char *bytes = list;
    uint32_t from = 0, to = count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (compare(bytes + middle * size, wanted) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

#endif
