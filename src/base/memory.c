/* Memory from the system, or the end of the program. */
#include "memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void block_listener(void *block, size_t size);

/* Whoever uses the library from several threads sets it from each, to the same. */
static _Atomic(block_listener *) tell_of_block;

void *memory_require(void *p)
{
    if (!p) {
        fputs("tdscope: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *memory_take(size_t size)
{
    return memory_require(calloc(1, size ? size : 1));
}

void *memory_take_array(size_t count, size_t element_size)
{
    return memory_require(calloc(count ? count : 1, element_size ? element_size : 1));
}

void *memory_grow(void *old, size_t count, size_t element_size)
{
    if (element_size && count > SIZE_MAX / element_size)
        return memory_require(NULL);
    size_t size = count * element_size;
    return memory_require(realloc(old, size ? size : 1));
}

char *memory_copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(memory_take(size), text, size);
}

void memory_give(void *taken)
{
    if (taken) /* which for most packets it is not: without the call of a function */
        free(taken);
}

void *memory_take_block(void)
{
    void *block = memory_require(aligned_alloc(MEMORY_BLOCK_BYTES, MEMORY_BLOCK_BYTES));
    block_listener *tell = atomic_load_explicit(&tell_of_block, memory_order_relaxed);
    if (tell)
        tell(block, MEMORY_BLOCK_BYTES);
    return block;
}

void memory_tell_of_blocks(void (*tell)(void *block, size_t size))
{
    atomic_store_explicit(&tell_of_block, tell, memory_order_relaxed);
}
