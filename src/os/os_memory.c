/* What the system may know of memory in advance (Linux: transparent huge pages; others: nothing). */
#define _DEFAULT_SOURCE

#include "os_memory.h"

#include <stdint.h>
#include <sys/mman.h>

#include "memory.h"

/* glibc gives a thread a heap of its own, in a region of that size which begins at a multiple of it. Where that is not so, the advice is of no use
 * and does no harm. */
#define GLIBC_HEAP_BYTES ((uintptr_t)64 << 20)

void os_expect_use(void *start, size_t size)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(start, size, MADV_HUGEPAGE);
#else
    (void)start;
    (void)size;
#endif
}

void os_expect_use_of_heap(void)
{
#if defined(MADV_HUGEPAGE) && defined(__GLIBC__)
    void *within = memory_take(1);
    (void)madvise((void *)((uintptr_t)within / GLIBC_HEAP_BYTES * GLIBC_HEAP_BYTES), GLIBC_HEAP_BYTES, MADV_HUGEPAGE);
    memory_give(within);
#endif
}
