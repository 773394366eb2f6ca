/* Where reports are written: sticky after a refused write. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "renderer.h"

void sink_put_bytes(struct sink *sink, const char *bytes, size_t size)
{
    if (sink->failed || size == 0)
        return;
    if (!sink->write(sink->context, bytes, size))
        sink->failed = true;
}

void sink_put(struct sink *sink, const char *string)
{
    sink_put_bytes(sink, string, strlen(string));
}

void sink_format(struct sink *sink, const char *format, ...)
{
    char small[512];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof small) {
        sink_put_bytes(sink, small, (size_t)size);
    } else if (size >= 0) {
        char *large = memory_take((size_t)size + 1);
        vsnprintf(large, (size_t)size + 1, format, again);
        sink_put_bytes(sink, large, (size_t)size);
        memory_give(large);
    }
    va_end(again);
}
