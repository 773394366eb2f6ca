/* Memory from the system, or the end of the program. */
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void (*tell_of_block)(void *block, size_t size);

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

void memory_give(void *taken)
{
    if (taken) /* which for most packets it is not: without the call of a function */
        free(taken);
}

void *memory_take_block(void)
{
    void *block = memory_require(aligned_alloc(MEMORY_BLOCK_BYTES, MEMORY_BLOCK_BYTES));
    if (tell_of_block)
        tell_of_block(block, MEMORY_BLOCK_BYTES);
    return memset(block, 0, MEMORY_BLOCK_BYTES);
}

void memory_tell_of_blocks(void (*tell)(void *block, size_t size))
{
    tell_of_block = tell;
}
