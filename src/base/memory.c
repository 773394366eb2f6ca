/* Memory from the system, or the end of the program. */
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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
    free(taken);
}
