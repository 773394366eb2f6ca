/*
 * Plain LZ77 of Windows (MS-XCA 2.3 and 2.4, "XPRESS" without Huffman), decoded piece by piece.
 *
 * A match reaches back XPRESS_REACH bytes at most. So whoever decodes a long stream keeps that many bytes in front of what comes next, and
 * no more.
 */
#ifndef TDSCOPE_XPRESS_H
#define TDSCOPE_XPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XPRESS_REACH = 8192 };

/* Where the compressed bytes come from: fills buffer, and returns how many there were; 0: that was all. */
struct xpress_source {
    size_t (*read)(void *context, uint8_t *buffer, size_t size);
    void *context;
};

enum { XPRESS_INPUT_BYTES = 16 << 10 };

/* All zero but the source: at the begin of a stream. */
struct xpress {
    struct xpress_source source;
    uint64_t produced; /* bytes so far */
    uint32_t flags;    /* bits that say what comes next; the highest first */
    unsigned flag_bits;
    uint32_t match_left; /* of a match that did not fit into what was asked for */
    uint32_t distance;
    uint8_t half; /* the high four bits of a byte whose low ones were used */
    bool has_half;
    bool broken; /* what came is no such stream, or its end */
    size_t input_at, input_end;
    uint8_t input[XPRESS_INPUT_BYTES];
};

/* The next bytes, at most size; before `out` there are the XPRESS_REACH bytes decoded last, or all. Returns how many; fewer: the stream ends
 * or is broken there. */
size_t xpress_decode(struct xpress *xpress, uint8_t *out, size_t size);

#endif
