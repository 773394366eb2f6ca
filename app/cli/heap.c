/*
 * Large pages under the heap: glibc on Linux.
 *
 * Theory of operation. The system gives memory page by page, each at its first use, which takes from half a microsecond to (in a virtual
 * machine) twenty: on such a machine a run is 13 ms shorter without 1,400 of the small ones (docs/performance.md). So the heap begins with
 * large pages, for what every run needs, and buffers of captures come from it, too. Large blocks ask for themselves (src/os/os_memory.c).
 */
#define _DEFAULT_SOURCE

#include "heap.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SMALL_PAGE = 4096,
    LARGE_PAGE = 2 << 20,
    GROWS_BY = 8 * LARGE_PAGE,
    APART_FROM = 1 << 20,
    BEGINS_WITH = 2 * LARGE_PAGE
};

void heap_prepare(void)
{
    if (!mallopt(M_TOP_PAD, GROWS_BY) || !mallopt(M_MMAP_THRESHOLD, APART_FROM))
        return;
    uintptr_t now = (uintptr_t)sbrk(0), from = (now + LARGE_PAGE) / LARGE_PAGE * LARGE_PAGE;
    /* The first allocation writes to where the heap begins, and a large page must not have been written to: that is left in front of it. */
    if (sbrk((intptr_t)(from - SMALL_PAGE - now)) == (void *)-1)
        return;
    void *volatile first = malloc(1); /* volatile: compilers leave out what is given back at once */
    uintptr_t to = (uintptr_t)sbrk(0);
    if (to >= from + BEGINS_WITH)
        (void)madvise((void *)from, BEGINS_WITH, MADV_HUGEPAGE);
    free(first);
}
#else
void heap_prepare(void)
{
}
#endif
