/* What is known of a TCP conversation with a service of a domain controller (LDAP, RPC, SMB): how long its answers took. */
#ifndef TDSCOPE_SERVICE_FACTS_H
#define TDSCOPE_SERVICE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"

struct service_facts {
    uint32_t turns;              /* requests that were answered: the client sent, then the server */
    int64_t slowest_ns;          /* from the last bytes of a request to the first bytes of its answer */
    struct moment slowest_asked; /* frame 0: nothing was answered */
    struct moment open_since;    /* the last request has no answer; frame 0: it has */
    const char *pipe;            /* SMB2 in clear: SQL Server's named pipe, "sql\query"; NULL: none was opened */
};

#endif
