/* What the system may know of memory in advance. */
#ifndef TDSCOPE_OS_MEMORY_H
#define TDSCOPE_OS_MEMORY_H

#include <stddef.h>

/* All of it will be written: large pages suit, where the system has them at hand. Its first byte is written to; the system may do nothing. Any
 * thread may call it. */
void os_expect_use(void *start, size_t size);

#endif
