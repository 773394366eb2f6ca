/* One captured packet as the file holds it: bytes, times and lengths, nothing decoded. */
#ifndef TDSCOPE_FRAME_H
#define TDSCOPE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "span.h"

enum frame_direction { FRAME_DIRECTION_UNKNOWN, FRAME_INBOUND, FRAME_OUTBOUND };

struct frame {
    struct moment moment; /* .capture is filled by the chain, .frame is the number that Wireshark shows for it */
    uint64_t file_offset; /* of the first byte of `bytes` in the (uncompressed) file */
    struct span bytes;    /* what was captured; valid until the next frame is asked for */
    uint32_t wire_length; /* what was on the wire; never below bytes.size */
    uint32_t link_type;   /* LINKTYPE_ number (tcpdump.org/linktypes) */
    uint32_t interface;   /* of this file, from 0 */
    enum frame_direction direction;
    bool timeless; /* the file holds no time for it: moment.time_ns is that of the packet before, or 0 */
};

#endif
