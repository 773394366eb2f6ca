/* What the system may know of memory in advance (Linux: transparent huge pages; others: nothing). */
#define _DEFAULT_SOURCE

#include "os_memory.h"

#include <sys/mman.h>

void os_expect_use(void *start, size_t size)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(start, size, MADV_HUGEPAGE);
#else
    (void)start;
    (void)size;
#endif
}
