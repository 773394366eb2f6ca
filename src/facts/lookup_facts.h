/* What is known of one name lookup: DNS (RFC 1035), LLMNR (RFC 4795) or mDNS (RFC 6762). Written by the protocol floor. */
#ifndef TDSCOPE_LOOKUP_FACTS_H
#define TDSCOPE_LOOKUP_FACTS_H

#include "exchange_facts.h"

/* Most lookups of one run: at about 300 bytes each, 30 MB, plus their names. */
enum { NAME_LOOKUPS_MAX = 100000, LOOKUP_ADDRESSES_MAX = 4 };

enum name_service { NAME_SERVICE_DNS, NAME_SERVICE_LLMNR, NAME_SERVICE_MDNS, NAME_SERVICES };

struct name_lookup {
    struct exchange_facts exchange;
    enum name_service service;
    const char *name; /* asked for; UTF-8, made safe to show, "." is the root; NULL: not captured */
    uint16_t transaction;
    uint16_t type;                                  /* 1 A, 28 AAAA...; valid with name */
    uint8_t opcode;                                 /* 0 query */
    uint8_t rcode;                                  /* valid when answered */
    bool truncated;                                 /* the answer says so: the client has to ask again over TCP */
    uint8_t address_count;                          /* of addresses */
    uint32_t addresses_beyond;                      /* in the answer, and not kept */
    struct address addresses[LOOKUP_ADDRESSES_MAX]; /* that were answered */
    uint32_t ttl_s;                                 /* the shortest of these addresses; 0 without any */
};

#endif
