/* Who gives a name with an escape sequence or a line end in it reads it back as text. */
#include "complaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ECMA-48: C0 with DEL; the C1 set, as UTF-8 has it, begins with 0xC2. */
static void make_harmless(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at; at++)
        if (*at < ' ' || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
            *at = '?';
}

void complain(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (text) {
        vsnprintf(text, (size_t)size + 1, format, again);
        make_harmless(text);
    }
    va_end(again);
    fprintf(stderr, "tdscope: %s\n", text ? text : "out of memory");
    free(text);
}
