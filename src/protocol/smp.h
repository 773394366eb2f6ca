/* Session Multiplex Protocol: what MARS puts between TCP and TDS (MC-SMP 2.2). */
#ifndef TDSCOPE_SMP_H
#define TDSCOPE_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

enum { SMP_ID = 0x53, SMP_HEADER = 16, SMP_WINDOW_FIRST = 4 };
enum smp_kind { SMP_SYN = 1, SMP_ACK = 2, SMP_FIN = 4, SMP_DATA = 8 };

struct smp_header {
    uint8_t kind;
    uint16_t session;
    uint32_t length;           /* with the header */
    uint32_t sequence, window; /* of the last DATA sent; up to which the peer may send */
};

/* Whether these first bytes (fewer than sixteen will do) can be an SMP header; fills what they tell when all are there. */
bool smp_header_read(struct span bytes, struct smp_header *header);

#endif
