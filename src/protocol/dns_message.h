/* One DNS message (RFC 1035, 4), as far as it was captured. LLMNR and mDNS have the same form. */
#ifndef TDSCOPE_DNS_MESSAGE_H
#define TDSCOPE_DNS_MESSAGE_H

#include "lookup_facts.h"
#include "span.h"
#include "text.h"

enum { DNS_HEADER = 12, DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28 };

struct dns_message {
    uint16_t transaction;
    bool answer, truncated;
    uint8_t opcode, rcode;
    bool name_known; /* of the first question, or, without any, of the first answer */
    uint16_t type;   /* of the same */
    uint8_t address_count;
    uint32_t addresses_beyond;
    struct address addresses[LOOKUP_ADDRESSES_MAX];
    uint32_t ttl_s; /* the shortest of these */
};

/* Whether these first DNS_HEADER bytes may be a message's header. */
bool dns_plausible(struct span first_bytes);

/* name is cleared, then holds the name when name_known. False: not even the header was captured. */
bool dns_read(struct span bytes, struct text *name, struct dns_message *message);

#endif
