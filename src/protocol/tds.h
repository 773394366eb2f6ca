/* TDS on any port: recognition and decoding of TCP streams into struct tds_facts (MS-TDS, MC-SMP, RFC 8446/5246). */
#ifndef TDSCOPE_TDS_H
#define TDSCOPE_TDS_H

#include "stream.h"

/* server_port: a hint that it is a server's, too; 0: none. */
static inline bool tds_port_is_known(uint16_t port, uint16_t server_port)
{
    return port == SQL_SERVER_PORT || (port != 0 && port == server_port);
}

/* Servers that spoke TDS at one capture point. Zeros: none. When its places are taken, it learns no more. */
enum { TDS_SERVERS_PLACES = 1024 };

struct tds_servers {
    struct endpoint ends[TDS_SERVERS_PLACES]; /* by hash; port 0: free */
};

struct tds_options {
    uint16_t server_port;        /* a hint: this port is a SQL Server's; 0: none */
    struct tds_servers *servers; /* written, too; NULL: each stream is judged by itself */
    uint8_t certificates;        /* the number of the casebook's store that takes those of these streams */
};

/* The table to hand to the flow floor. options must outlive it. */
struct stream_consumer tds_consumer(const struct tds_options *options);

#endif
