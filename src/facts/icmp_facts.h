/* ICMP errors about somebody's packets (RFC 792, RFC 4443). */
#ifndef TDSCOPE_ICMP_FACTS_H
#define TDSCOPE_ICMP_FACTS_H

#include <stdint.h>

#include "address.h"
#include "moment.h"

struct icmp_facts {
    uint32_t count;
    struct moment first;
    uint8_t version, type, code; /* of the first */
    struct address reporter;
};

#endif
