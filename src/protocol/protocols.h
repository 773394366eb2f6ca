/* Hands each stream and each datagram of a capture point to its protocol: by a well-known port, and all other streams to TDS. */
#ifndef TDSCOPE_PROTOCOLS_H
#define TDSCOPE_PROTOCOLS_H

#include "datagram.h"
#include "stream.h"
#include "tds.h"

enum { PROTOCOLS_MAX = 16 };

struct protocols {
    uint16_t server_port; /* a hint: this port is a SQL Server's, whatever else it is known for; 0: none */
    struct stream_consumer consumers[PROTOCOLS_MAX + 1]; /* as in the registry, with their contexts; the last: TDS */
};

/* casebook and options must outlive them. */
void protocols_open(struct protocols *protocols, struct casebook *casebook, uint32_t point,
                    const struct tds_options *options);
void protocols_close(struct protocols *protocols); /* after all streams were released */

/* Whether a stream to this port is of a protocol that is known by its port. */
bool protocols_know_port(uint16_t port);

struct stream_consumer protocols_consumer(struct protocols *protocols); /* the table to hand to the flow floor */
void protocols_datagram(struct protocols *protocols, const struct datagram *datagram);
void protocols_refused(struct protocols *protocols, const struct datagram_refusal *refusal);

#endif
