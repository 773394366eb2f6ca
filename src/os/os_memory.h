/* What the system may know of memory in advance. */
#ifndef TDSCOPE_OS_MEMORY_H
#define TDSCOPE_OS_MEMORY_H

#include <stddef.h>

/* All of it will be written: large pages suit. The system may do nothing. */
void os_expect_use(void *start, size_t size);

/* The calling thread will use much memory of the heap. Only for a thread that is not the program's first. */
void os_expect_use_of_heap(void);

#endif
