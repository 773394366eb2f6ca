/*
 * Large pages for what will be written whole (Linux: transparent huge pages; others: nothing).
 *
 * Theory of operation. A large page takes one fault instead of 512, and a third of their time. But a virtual machine may have given its free
 * memory back to its host (free page reporting), whole large pages first: such a page takes twenty times as long, for the host finds it piece by
 * piece, and small ones, of which some are always at hand, take a seventh of that. So each large page is written to when it is asked for, and
 * once one took longer than small ones would, no more are asked for.
 */
#define _DEFAULT_SOURCE

#include "os_memory.h"

#ifdef __linux__
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

/* 512 small pages take 0.2 to 0.8 ms; one large page 0.1 to 0.4 ms, or 5 ms where the host has to find it. */
#define LARGE_PAGE_MOST_NS 1000000

static atomic_bool large_pages_are_dear;

static int64_t now_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void os_expect_use(void *start, size_t size)
{
    if (atomic_load_explicit(&large_pages_are_dear, memory_order_relaxed)) {
        (void)madvise(start, size, MADV_NOHUGEPAGE); /* some systems give large pages to who does not ask */
        return;
    }
    (void)madvise(start, size, MADV_HUGEPAGE);
    int64_t begun_ns = now_ns();
    *(volatile uint8_t *)start = 0;
    if (now_ns() - begun_ns > LARGE_PAGE_MOST_NS)
        atomic_store_explicit(&large_pages_are_dear, true, memory_order_relaxed);
}
#else
void os_expect_use(void *start, size_t size)
{
    (void)start;
    (void)size;
}
#endif
