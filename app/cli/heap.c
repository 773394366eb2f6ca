/*
 * Large pages under the heap: glibc on Linux.
 *
 * Theory of operation. The system gives memory page by page, each at its first use, which takes from half a microsecond to (in a virtual
 * machine) twenty: a thousand small pages are a tenth of the time of reading a gigabyte. So the heap grows by a few large pages at once, and
 * buffers of captures come from it, too.
 */
#define _DEFAULT_SOURCE

#include "heap.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LARGE_PAGE = 2 << 20, GROWS_BY = 4 * LARGE_PAGE, APART_FROM = 1 << 20 };

void heap_prepare(void)
{
    if (!mallopt(M_TOP_PAD, GROWS_BY) || !mallopt(M_MMAP_THRESHOLD, APART_FROM))
        return;
    uintptr_t from = ((uintptr_t)sbrk(0) + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    void *volatile first = malloc(LARGE_PAGE / 4); /* volatile: compilers leave out what is given back at once */
    free(first);
    uintptr_t to = (uintptr_t)sbrk(0) / LARGE_PAGE * LARGE_PAGE;
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}
#else
void heap_prepare(void)
{
}
#endif
