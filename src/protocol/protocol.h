/* Protocols that are known by their port: one file each, ending in a `const struct protocol`, and one line in protocols.def. */
#ifndef TDSCOPE_PROTOCOL_H
#define TDSCOPE_PROTOCOL_H

#include "datagram.h"
#include "stream.h"

struct protocol {
    const char *name;
    const uint16_t *udp_ports, *tcp_ports; /* each ends with 0; NULL: none */

    /* What it keeps for one capture point, and is handed at each call. */
    void *(*open)(struct casebook *casebook, uint32_t point);
    void (*close)(void *state);

    void (*datagram)(void *state, const struct datagram *datagram);
    void (*refused)(void *state, const struct datagram_refusal *refusal); /* ICMP: its datagram did not arrive */

    struct stream_consumer stream; /* its context is the state */
};

extern const struct protocol *const protocol_registry[];
extern const unsigned protocol_registry_count;

#endif
