/* Plain LZ77 of Windows (MS-XCA 2.4). */
#include "xpress.h"

enum { FLAG_BITS = 32, MATCH_LEAST = 3, LENGTH_BITS = 3, LENGTH_MORE = 7, HALF_MORE = 15, BYTE_MORE = 255 };

/* The next byte; -1: there is none. */
static int next_byte(struct xpress *x)
{
    if (x->input_at == x->input_end) {
        x->input_at = 0;
        x->input_end = x->source.read(x->source.context, x->input, sizeof x->input);
        if (x->input_end == 0)
            return -1;
    }
    return x->input[x->input_at++];
}

/* A number of that many bytes, the lowest first. */
static bool next_number(struct xpress *x, unsigned bytes, uint32_t *number)
{
    *number = 0;
    for (unsigned i = 0; i < bytes; i++) {
        int byte = next_byte(x);
        if (byte < 0)
            return false;
        *number |= (uint32_t)byte << 8 * i;
    }
    return true;
}

/* Four bits: two of these numbers share a byte, though other bytes may come between them. */
static bool next_half(struct xpress *x, uint32_t *half)
{
    if (x->has_half) {
        *half = x->half;
        x->has_half = false;
        return true;
    }
    int byte = next_byte(x);
    if (byte < 0)
        return false;
    *half = (uint32_t)byte & 15;
    x->half = (uint8_t)(byte >> 4);
    x->has_half = true;
    return true;
}

/* What is added to a length of LENGTH_MORE. */
static bool long_length(struct xpress *x, uint32_t *more)
{
    uint32_t number;
    if (!next_half(x, more))
        return false;
    if (*more < HALF_MORE)
        return true;
    if (!next_number(x, 1, &number))
        return false;
    if (number < BYTE_MORE) {
        *more = number + HALF_MORE;
        return true;
    }
    if (!next_number(x, 2, &number) || (number == 0 && !next_number(x, 4, &number)))
        return false;
    *more = number - LENGTH_MORE;
    return number >= LENGTH_MORE + HALF_MORE;
}

static bool begin_match(struct xpress *x)
{
    uint32_t match, more = 0;
    if (!next_number(x, 2, &match))
        return false;
    uint32_t length = match & LENGTH_MORE;
    if (length == LENGTH_MORE && !long_length(x, &more))
        return false;
    if (more > UINT32_MAX - LENGTH_MORE - MATCH_LEAST)
        return false;
    x->distance = (match >> LENGTH_BITS) + 1;
    x->match_left = length + more + MATCH_LEAST;
    return x->distance <= x->produced;
}

/* Byte by byte: a match may overlap what it makes. */
static size_t copy_match(struct xpress *x, uint8_t *out, size_t size)
{
    size_t count = x->match_left < size ? x->match_left : size;
    const uint8_t *from = out - x->distance;
    for (size_t i = 0; i < count; i++)
        out[i] = from[i];
    x->match_left -= (uint32_t)count;
    return count;
}

/* One bit: whether a match comes next. */
static bool next_flag(struct xpress *x, bool *is_match)
{
    if (x->flag_bits == 0) {
        if (!next_number(x, 4, &x->flags))
            return false;
        x->flag_bits = FLAG_BITS;
    }
    *is_match = x->flags >> (FLAG_BITS - 1);
    x->flags <<= 1;
    x->flag_bits--;
    return true;
}

/* Decodes a byte, or begins a match. False: there is nothing more. */
static bool step(struct xpress *x, uint8_t *out, size_t *made)
{
    bool is_match;
    if (!next_flag(x, &is_match))
        return false;
    if (is_match)
        return begin_match(x);
    int byte = next_byte(x);
    if (byte < 0)
        return false;
    out[(*made)++] = (uint8_t)byte;
    x->produced++;
    return true;
}

size_t xpress_decode(struct xpress *x, uint8_t *out, size_t size)
{
    size_t made = 0;
    while (made < size && !x->broken) {
        if (x->match_left > 0) {
            size_t count = copy_match(x, out + made, size - made);
            made += count;
            x->produced += count;
        } else if (!step(x, out, &made)) {
            x->broken = true;
            x->match_left = 0;
        }
    }
    return made;
}
