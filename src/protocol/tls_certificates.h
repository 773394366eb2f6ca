/* The certificates of a Certificate message in clear, that is of TLS up to 1.2 (RFC 5246, 7.4.2; RFC 5280). */
#ifndef TDSCOPE_TLS_CERTIFICATES_H
#define TDSCOPE_TLS_CERTIFICATES_H

#include "casebook.h"
#include "span.h"

/* Fills the chain of facts with what was captured of it. whole: body is all of the message; store: number of the casebook's store that
 * keeps them. Certificates that are no X.509 are
 * kept as unreadable. */
void tls_read_certificates(struct span body, bool whole, struct casebook *casebook, uint8_t store,
                           struct tls_facts *facts);

#endif
