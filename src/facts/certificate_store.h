/* Certificates of all conversations, each kept and read once: a server shows the same one to every client. */
#ifndef TDSCOPE_CERTIFICATE_STORE_H
#define TDSCOPE_CERTIFICATE_STORE_H

#include "hash_index.h"
#include "slab.h"
#include "tls_facts.h"

struct certificate_store {
    struct slab certificates; /* struct tls_certificate */
    struct hash_index index;  /* by fingerprint */
};

void certificate_store_open(struct certificate_store *store);
void certificate_store_close(struct certificate_store *store);

/* NULL: not in the store. */
struct tls_certificate *certificate_store_find(const struct certificate_store *store,
                                               const uint8_t fingerprint[static 32]);

/* A new certificate with that fingerprint, which is not in the store yet; the rest of it is zero. Its address stays valid. NULL:
 * the store is full. */
struct tls_certificate *certificate_store_add(struct certificate_store *store, const uint8_t fingerprint[static 32]);

#endif
