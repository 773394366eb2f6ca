/* A SQL Server's talk with its domain controllers, as a capture at the server shows it. */
#ifndef TDSCOPE_DOMAIN_CONTROLLERS_H
#define TDSCOPE_DOMAIN_CONTROLLERS_H

#include <stdbool.h>

#include "address.h"
#include "moment.h"

struct casebook;

enum controller_service {
    CONTROLLER_KERBEROS,
    CONTROLLER_RPC,
    CONTROLLER_LDAP,
    CONTROLLER_SMB,
    CONTROLLER_LDAPS,
    CONTROLLER_CATALOG,  /* global catalog, 3268 */
    CONTROLLER_CATALOGS, /* the same with TLS, 3269 */
    CONTROLLER_SERVICES
};

/* The TCP port of each. */
extern const uint16_t controller_ports[CONTROLLER_SERVICES];

struct controller_service_facts {
    uint32_t conversations; /* over TCP */
    uint32_t requests;      /* for tickets, over UDP and TCP */
    uint32_t failed;        /* conversations that were refused or not answered, tickets that were not answered */
    uint32_t waits;         /* that were measured */
    int64_t slowest_ns;     /* of connecting, and of answers */
    struct moment slowest;  /* the question; frame 0: nothing was measured */
};

struct domain_controller {
    struct address machine; /* the SQL Server's */
    struct address controller;
    struct controller_service_facts services[CONTROLLER_SERVICES];
};

struct domain_controllers {
    struct domain_controller *list; /* by machine, then by controller; each two stand there once */
    uint32_t count;
};

/* Finds them among the conversations and ticket requests; domain_controllers_close() gives the list back. */
void domain_controllers_open(struct domain_controllers *controllers, const struct casebook *casebook);
void domain_controllers_close(struct domain_controllers *controllers);

/* Whether the one machine has the other for a controller. */
bool domain_controllers_have(const struct domain_controllers *controllers, const struct address *machine,
                             const struct address *controller);

#endif
