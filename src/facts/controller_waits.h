/* When a machine with a SQL Server waited for a domain controller. */
#ifndef TDSCOPE_CONTROLLER_WAITS_H
#define TDSCOPE_CONTROLLER_WAITS_H

#include "address.h"
#include "moment.h"

struct casebook;

struct controller_wait {
    struct address machine, controller;
    uint16_t port;
    struct moment asked;
    int64_t until_ns; /* of the answer; INT64_MAX: none came */
};

struct controller_waits {
    struct controller_wait *list; /* by machine, then by time */
    uint32_t count;
};

/* Once the domain controllers are known. Of each conversation its slowest wait and an open one are kept. */
void controller_waits_open(struct controller_waits *waits, const struct casebook *casebook);
void controller_waits_close(struct controller_waits *waits);

/* The machine's wait that began within the time from from_ns to to_ns and takes most of it; NULL: none takes half of it. */
const struct controller_wait *controller_waits_within(const struct controller_waits *waits,
                                                      const struct address *machine, int64_t from_ns, int64_t to_ns);

#endif
