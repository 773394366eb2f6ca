/* Who gives a name with an escape sequence or a line end in it reads it back as text. */
#include "complaint.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes the character takes that begins there in UTF-8 (RFC 3629); 0: none does. */
static size_t character_size(const unsigned char *at)
{
    size_t size = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80) /* the text's end, too */
            return 0;
    return size;
}

/* ECMA-48: the C0 set with DEL, and the C1 set, which UTF-8 writes behind 0xC2. A byte that is no character may be of C1, too, to a terminal
 * that does not speak UTF-8. */
static void make_harmless(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at;) {
        size_t size = character_size(at);
        bool control = *at < ' ' || *at == 0x7f || (size == 2 && at[0] == 0xc2 && at[1] < 0xa0);
        if (size == 0 || control)
            memset(at, '?', size ? size : 1);
        at += size ? size : 1;
    }
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
