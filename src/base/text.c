/* Growing text. */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

void text_close(struct text *text)
{
    memory_give(text->data);
    *text = (struct text){.ceiling = text->ceiling};
}

void text_clear(struct text *text)
{
    text->size = 0;
    text->cut = false;
    if (text->data)
        text->data[0] = '\0';
}

void text_add_bytes(struct text *text, const char *bytes, size_t size)
{
    if (text->ceiling && size > text->ceiling - text->size) {
        size = text->ceiling - text->size;
        text->cut = true;
    }
    if (size + 1 > text->capacity - text->size) {
        size_t wanted = text->size + size + 1;
        size_t capacity = text->capacity ? text->capacity : 64;
        while (capacity < wanted)
            capacity *= 2;
        text->data = memory_grow(text->data, capacity, 1);
        text->capacity = capacity;
    }
    if (size)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
    char small[256];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof small) {
        text_add_bytes(text, small, (size_t)size);
    } else if (size >= 0) {
        char *large = memory_take((size_t)size + 1);
        vsnprintf(large, (size_t)size + 1, format, again);
        text_add_bytes(text, large, (size_t)size);
        memory_give(large);
    }
    va_end(again);
}

/* Nearly all names are of such characters. False: it is another one, or there is no room. */
static inline bool add_plain(struct text *text, uint32_t code)
{
    bool fits = text->capacity - text->size >= 2 && (!text->ceiling || text->size < text->ceiling);
    if (code < 0x20 || code >= 0x7f || !fits)
        return false;
    text->data[text->size++] = (char)code;
    text->data[text->size] = '\0';
    return true;
}

static void add_code_point(struct text *text, uint32_t code)
{
    if (add_plain(text, code))
        return;
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool bidi = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    if (code == '\n' || code == '\r' || code == '\t')
        code = ' ';
    else if (control || bidi || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
        code = 0xfffd;
    char out[4];
    size_t size;
    if (code < 0x80) {
        out[0] = (char)code;
        size = 1;
    } else if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        size = 2;
    } else if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        size = 3;
    } else {
        out[0] = (char)(0xf0 | code >> 18);
        out[1] = (char)(0x80 | (code >> 12 & 0x3f));
        out[2] = (char)(0x80 | (code >> 6 & 0x3f));
        out[3] = (char)(0x80 | (code & 0x3f));
        size = 4;
    }
    if (text->ceiling && size > text->ceiling - text->size) {
        text->cut = true; /* never half a character */
        return;
    }
    text_add_bytes(text, out, size);
}

/* Decodes one UTF-8 sequence (RFC 3629) at the front of s; gives its length, or 0 when it is not valid. */
static size_t utf8_decode(struct span s, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = s.data[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > s.size)
        return 0;
    *code = length == 1 ? first : first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s.data[i] & 0x3fu);
    }
    return *code >= smallest[length] ? length : 0;
}

void text_add_untrusted(struct text *text, struct span bytes)
{
    while (bytes.size > 0) {
        uint32_t code;
        size_t length = utf8_decode(bytes, &code);
        add_code_point(text, length ? code : 0xfffd);
        bytes = span_from(bytes, length ? length : 1);
    }
}

void text_add_utf16le(struct text *text, struct span bytes)
{
    for (size_t i = 0; i + 2 <= bytes.size; i += 2) {
        uint32_t code = (uint32_t)(bytes.data[i] | bytes.data[i + 1] << 8);
        if (code >= 0xd800 && code < 0xdc00 && i + 4 <= bytes.size) {
            uint32_t low = (uint32_t)(bytes.data[i + 2] | bytes.data[i + 3] << 8);
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        add_code_point(text, code);
    }
}
