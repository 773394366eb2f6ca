/*
 * How many of its ports a client uses up.
 *
 * A port is taken from the SYN to the close, and after a FIN of the client's own for as long as its system keeps it in TIME_WAIT; a
 * reset leaves none, nor does a connection that the server closed first (RFC 9293, 3.6).
 */
#ifndef TDSCOPE_PORT_USE_H
#define TDSCOPE_PORT_USE_H

#include "survey.h"

enum { PORTS = 65536 };

/* Of fewer connections nothing is to be learnt about their ports. */
enum { PORT_HOLDS_LEAST = 32 };

/* One connection's hold on its source port. */
struct port_hold {
    int64_t from_ns, closed_ns;
    uint32_t number; /* of the conversation */
    uint16_t port;
    bool waits; /* in TIME_WAIT after the close */
};

struct port_holds {
    struct port_hold *list; /* in order of from_ns */
    uint32_t count;
};

/* Of the conversations of a group, from 0 on; port_holds_close() gives the list back. */
void port_holds_open(struct port_holds *holds, const struct surroundings *surroundings, const struct groups *groups,
                     uint32_t group);
void port_holds_close(struct port_holds *holds);

/* Ports first to last. */
struct port_range {
    uint16_t first, last;
};

static inline uint32_t port_range_size(const struct port_range *range)
{
    return range->last - range->first + 1u;
}

static inline bool port_range_has(const struct port_range *range, uint16_t port)
{
    return port >= range->first && port <= range->last;
}

/* How well the ports show their range by themselves. */
enum range_evidence {
    RANGE_NOT_SHOWN,
    RANGE_LIKELY, /* all ports of a band were taken once, from somewhere in it to its end and on from its begin: one round */
    RANGE_SHOWN, /* nearly all ports of a band were taken, and they began anew in it several times */
    RANGE_TOLD   /* not shown: the machine's settings tell it */
};

/* Ports from a range of thousands do not all fall into a band of some dozens, so such a band is the range. */
enum range_evidence port_holds_narrow_range(const struct port_holds *holds, struct port_range *range);

struct port_peak {
    uint32_t ports;    /* of the range, taken at the same time, at most */
    int64_t time_ns;   /* when first */
    uint32_t position; /* in holds: the connection that took the last of them */
};

/* With a TIME_WAIT of wait_ns. */
struct port_peak port_holds_peak(const struct port_holds *holds, const struct port_range *range, int64_t wait_ns);

/* Ports of the range that were taken again while they were in TIME_WAIT, and less than wait_ns after their close. */
struct port_reuse {
    uint32_t count;
    int64_t usual_ns;  /* the median time from close to SYN; 0: none was */
    uint32_t position; /* in holds: the latest that took such a port */
};
struct port_reuse port_holds_reuse(const struct port_holds *holds, const struct port_range *range, int64_t wait_ns);

#endif
