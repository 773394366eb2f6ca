/*
 * Link layers: one file each, ending in a `const struct link_layer`, and one line in link_layers.def.
 *
 * The decoder reads its header off decoding->rest, tells packet->inbound or ->outbound if it knows and the capture file
 * did not, and returns the layer that follows: LAYER_NONE for whatever is not IP, or was not captured.
 */
#ifndef TDSCOPE_LINK_LAYER_H
#define TDSCOPE_LINK_LAYER_H

#include <stdint.h>

#include "decoding.h"

enum { LINK_LAYER_TYPES_MAX = 6 };

struct link_layer {
    const char *name;
    uint32_t types[LINK_LAYER_TYPES_MAX]; /* LINKTYPE_ and DLT_ numbers (tcpdump.org/linktypes) */
    uint32_t type_count;
    enum layer (*decode)(struct decoding *decoding);
};

/* The link layer of that number, or NULL. */
const struct link_layer *link_layer_for(uint32_t type);

#endif
