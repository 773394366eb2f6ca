/* Certificates by their fingerprint. */
#include "certificate_store.h"

#include <string.h>

/* At about 1 KB and 250 us each, 512 KB and an eighth of a second. A server makes a new one at each start at most: more than that are
 * made up to cost time. */
enum { CERTIFICATES_MAX = 512 };

void certificate_store_open(struct certificate_store *store)
{
    slab_open(&store->certificates, sizeof(struct tls_certificate));
    hash_index_open(&store->index);
}

void certificate_store_close(struct certificate_store *store)
{
    slab_close(&store->certificates);
    hash_index_close(&store->index);
}

static uint32_t hash_of(const uint8_t fingerprint[static 32])
{
    return (uint32_t)fingerprint[0] << 24 | (uint32_t)fingerprint[1] << 16 | (uint32_t)fingerprint[2] << 8 |
           fingerprint[3];
}

struct tls_certificate *certificate_store_find(const struct certificate_store *store,
                                               const uint8_t fingerprint[static 32])
{
    struct hash_probe probe = hash_index_probe(&store->index, hash_of(fingerprint));
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;) {
        struct tls_certificate *certificate = slab_at(&store->certificates, number);
        if (memcmp(certificate->fingerprint, fingerprint, sizeof certificate->fingerprint) == 0)
            return certificate;
    }
    return NULL;
}

struct tls_certificate *certificate_store_add(struct certificate_store *store, const uint8_t fingerprint[static 32])
{
    if (store->certificates.in_use >= CERTIFICATES_MAX)
        return NULL;
    uint32_t number = slab_take(&store->certificates);
    struct tls_certificate *certificate = slab_at(&store->certificates, number);
    memcpy(certificate->fingerprint, fingerprint, sizeof certificate->fingerprint);
    hash_index_add(&store->index, hash_of(fingerprint), number);
    return certificate;
}
