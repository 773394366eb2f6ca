/* Names of what is seen around conversations: of DNS, of SQL Server Browser, of Kerberos, of domain controllers. */
#ifndef TDSCOPE_AROUND_NAMES_H
#define TDSCOPE_AROUND_NAMES_H

#include "domain_controllers.h"
#include "instance_lookup_facts.h"
#include "lookup_facts.h"
#include "ticket_facts.h"

enum { AROUND_NAME_SIZE = 40 };

const char *name_service_name(enum name_service service);             /* "dns" */
const char *instance_question_name(enum instance_question question);  /* "one"; NULL: not known */
const char *ticket_kind_name(enum ticket_kind kind);                  /* "as"; NULL: not known */
const char *controller_service_name(enum controller_service service); /* "ldap" */

/* One without a name as a number. Each returns text. */
const char *dns_type_name(uint16_t type, char text[static AROUND_NAME_SIZE]);      /* "AAAA", "TYPE65400" */
const char *dns_rcode_name(uint8_t rcode, char text[static AROUND_NAME_SIZE]);     /* "NXDOMAIN", "RCODE12" */
const char *dns_opcode_name(uint8_t opcode, char text[static AROUND_NAME_SIZE]);   /* "NOTIFY", "OPCODE3" */
const char *kerberos_error_name(int32_t code, char text[static AROUND_NAME_SIZE]); /* "KDC_ERR_S_PRINCIPAL_UNKNOWN" */

#endif
