/* TDS on any port: recognition and decoding of TCP streams into struct tds_facts (MS-TDS, MC-SMP, RFC 8446/5246). */
#ifndef TDSCOPE_TDS_H
#define TDSCOPE_TDS_H

#include "stream.h"

struct tds_options {
    uint16_t server_port; /* a hint: this port is a SQL Server's; 0: none */
};

/* The table to hand to the flow floor. options must outlive it. */
struct stream_consumer tds_consumer(const struct tds_options *options);

#endif
