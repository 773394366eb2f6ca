/* Display filters, and the set of reused tuples that says which of them need a range. */
#include "wireshark_filter.h"

#include <inttypes.h>
#include <stdio.h>

struct tuple_key {
    uint32_t point;
    uint8_t addresses[2][16];
    uint16_t ports[2];
};

/* The same for both directions: which end is the client may have been learnt differently. */
static uint32_t tuple_hash(const struct conversation *conversation)
{
    struct tuple_key key = {.point = conversation->point};
    const struct endpoint *first = &conversation->ends[SIDE_CLIENT], *second = &conversation->ends[SIDE_SERVER];
    int order = memcmp(first->address.bytes, second->address.bytes, sizeof first->address.bytes);
    if (order > 0 || (order == 0 && first->port > second->port)) {
        const struct endpoint *swapped = first;
        first = second;
        second = swapped;
    }
    memcpy(key.addresses[0], first->address.bytes, sizeof key.addresses[0]);
    memcpy(key.addresses[1], second->address.bytes, sizeof key.addresses[1]);
    key.ports[0] = first->port;
    key.ports[1] = second->port;
    return hash_bytes(&key, sizeof key);
}

static bool same_tuple(const struct conversation *a, const struct conversation *b)
{
    if (a->point != b->point)
        return false;
    bool straight = endpoint_equal(&a->ends[SIDE_CLIENT], &b->ends[SIDE_CLIENT]) &&
                    endpoint_equal(&a->ends[SIDE_SERVER], &b->ends[SIDE_SERVER]);
    bool crossed = endpoint_equal(&a->ends[SIDE_CLIENT], &b->ends[SIDE_SERVER]) &&
                   endpoint_equal(&a->ends[SIDE_SERVER], &b->ends[SIDE_CLIENT]);
    return straight || crossed;
}

void reused_tuples_open(struct reused_tuples *tuples, const struct casebook *casebook, uint32_t reused)
{
    tuples->casebook = casebook;
    hash_index_open(&tuples->index);
    for (uint32_t number = 0; reused > 0 && number < casebook_conversations(casebook); number++) {
        const struct conversation *conversation = casebook_conversation(casebook, number);
        if (conversation->tuple_reused && !reused_tuples_have(tuples, conversation))
            hash_index_add(&tuples->index, tuple_hash(conversation), number);
    }
}

void reused_tuples_close(struct reused_tuples *tuples)
{
    hash_index_close(&tuples->index);
}

bool reused_tuples_have(const struct reused_tuples *tuples, const struct conversation *conversation)
{
    if (tuples->index.count == 0)
        return false;
    struct hash_probe probe = hash_index_probe(&tuples->index, tuple_hash(conversation));
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;)
        if (same_tuple(conversation, casebook_conversation(tuples->casebook, number)))
            return true;
    return false;
}

static int add_end(char *text, size_t size, const struct endpoint *end)
{
    char address[ADDRESS_TEXT_SIZE];
    return snprintf(text, size, "%s == %s && tcp.port == %u", end->address.version == 6 ? "ipv6.addr" : "ip.addr",
                    address_text(&end->address, address), (unsigned)end->port);
}

/* Seconds since 1970 as frame.time_epoch takes them; captures do not come from before. */
static void add_time_range(char *text, size_t size, const struct conversation *conversation)
{
    int64_t from_ns = conversation->first.time_ns > 0 ? conversation->first.time_ns : 0;
    int64_t to_ns = conversation->last.time_ns > from_ns ? conversation->last.time_ns : from_ns;
    snprintf(text, size,
             " && frame.time_epoch >= %" PRId64 ".%09" PRId64 " && frame.time_epoch <= %" PRId64 ".%09" PRId64,
             (int64_t)(from_ns / NS_PER_SECOND), (int64_t)(from_ns % NS_PER_SECOND), (int64_t)(to_ns / NS_PER_SECOND),
             (int64_t)(to_ns % NS_PER_SECOND));
}

const char *wireshark_conversation_filter(const struct conversation *conversation, bool only_this,
                                          char text[static WIRESHARK_FILTER_SIZE])
{
    size_t used = (size_t)add_end(text, WIRESHARK_FILTER_SIZE, &conversation->ends[SIDE_CLIENT]);
    used += (size_t)snprintf(text + used, WIRESHARK_FILTER_SIZE - used, " && ");
    used += (size_t)add_end(text + used, WIRESHARK_FILTER_SIZE - used, &conversation->ends[SIDE_SERVER]);
    if (!only_this)
        return text;
    if (conversation->capture_first == conversation->capture_last)
        snprintf(text + used, WIRESHARK_FILTER_SIZE - used,
                 " && frame.number >= %" PRIu32 " && frame.number <= %" PRIu32, conversation->first.frame,
                 conversation->last.frame);
    else
        add_time_range(text + used, WIRESHARK_FILTER_SIZE - used, conversation);
    return text;
}

const char *wireshark_frame_filter(const struct moment *moment, char text[static WIRESHARK_FILTER_SIZE])
{
    snprintf(text, WIRESHARK_FILTER_SIZE, "frame.number == %" PRIu32, moment->frame);
    return text;
}
