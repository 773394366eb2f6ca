/* Elements of DER (X.690): single-byte tags and definite lengths, which is all that Kerberos has (RFC 4120, 5.1). */
#ifndef TDSCOPE_DER_H
#define TDSCOPE_DER_H

#include "cursor.h"

enum { DER_INTEGER = 0x02, DER_SEQUENCE = 0x30, DER_GENERAL_STRING = 0x1b, DER_CONTEXT = 0xa0, DER_APPLICATION = 0x60 };

struct der_element {
    uint8_t tag;
    struct cursor body;
};

/* The next element; a body that is longer than what was captured ends with it. False: there is none. */
static inline bool der_next(struct cursor *c, struct der_element *element)
{
    element->tag = cursor_u8(c);
    uint8_t first = cursor_u8(c);
    size_t length = first;
    if (c->failed || (element->tag & 0x1f) == 0x1f || first == 0x80 || first > 0x84)
        return false;
    if (first > 0x80)
        for (length = 0; first > 0x80; first--)
            length = length << 8 | cursor_u8(c);
    if (c->failed)
        return false;
    element->body = cursor_sub(c, length < c->left ? length : c->left);
    return true;
}

/* The one element inside, which has to have this tag; else an empty one. */
static inline struct cursor der_inside(struct cursor c, uint8_t tag)
{
    struct der_element element;
    if (!der_next(&c, &element) || element.tag != tag)
        return (struct cursor){.failed = true};
    return element.body;
}

/* Clamped to 32 bits. */
static inline int32_t der_integer(struct cursor explicit_body)
{
    struct cursor c = der_inside(explicit_body, DER_INTEGER);
    if (c.failed || c.left == 0 || c.left > 4)
        return 0;
    uint32_t value = c.at[0] & 0x80 ? UINT32_MAX : 0;
    while (c.left > 0)
        value = value << 8 | cursor_u8(&c);
    return value <= INT32_MAX ? (int32_t)value : -(int32_t)(UINT32_MAX - value) - 1;
}

#endif
