/*
 * Whether what a driver reported may be of a captured connection, where neither the connection's ID nor its ends say so.
 *
 * Such a report has no more than a time, and perhaps a server and how far it came. So it is held for a connection's only if that failed at that moment,
 * in that phase, and no other one did.
 */
#ifndef TDSCOPE_ERROR_FITS_H
#define TDSCOPE_ERROR_FITS_H

#include "conversation.h"
#include "evidence_facts.h"

struct casebook;

/* When the application learned that the connection failed, on the common clock. False: it did not fail, its end is not captured, or it was not captured at the
 * client: another machine's clock may be off by more than such a moment. */
bool error_fits_when(const struct casebook *casebook, const struct conversation *conversation, int64_t *from_ns,
                     int64_t *to_ns);

/* Nothing that the report tells speaks against it. */
bool error_fits(const struct casebook *casebook, const struct conversation *conversation,
                const struct error_record *error);

#endif
