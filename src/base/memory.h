/*
 * The one place that asks the system for memory.
 *
 * Everything that grows has a ceiling (see ceilings.h of the engine), so a refusal means that the machine has nothing
 * left: these functions then end the program by abort() after one line on standard error, and never return NULL.
 */
#ifndef TDSCOPE_MEMORY_H
#define TDSCOPE_MEMORY_H

#include <stddef.h>

void *memory_take(size_t size);                                  /* zeroed */
void *memory_take_array(size_t count, size_t element_size);      /* zeroed; the product is checked */
void *memory_grow(void *old, size_t count, size_t element_size); /* as realloc; new bytes are not zeroed */
void memory_give(void *taken);                                   /* NULL is fine */
char *memory_copy_text(const char *text); /* with its final zero byte; given back by memory_give() */
void *memory_require(void *taken); /* what a library took by itself: the same, or ends as above when NULL */

/* A block of its own for what will fill it, not zeroed, aligned to its size; given back by memory_give(). Where the system was told so it
 * stands on one large page: small pages, each with its fault, took 9 % of the time of a run with 7,000 conversations, on a machine where a
 * fault takes 19 us. */
enum { MEMORY_BLOCK_BYTES = 2 << 20 };
void *memory_take_block(void);

/* How the system is told that a block will be filled (see os_memory.h). */
void memory_tell_of_blocks(void (*tell)(void *block, size_t size));

#endif
