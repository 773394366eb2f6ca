/*
 * Theory of operation. A SYN+ACK bears the initial sequence numbers of both sides, 64 bits that no other connection has, whatever
 * rewrites addresses. Once the server has sent data, it has had the client's answer and does not send the SYN+ACK again (RFC 9293,
 * 3.10.7.4). So a piece of a ring buffer brings other handshakes than the pieces before it; the capture of the other end brings the
 * same, however far the clocks differ, and among those of other machines. Numbers that several connections share, as those of generated
 * packets do, tell nothing.
 *
 * What a machine captures are its own connections: one address is in all of them. If all of a point's have one in common, and all of
 * the file's another, these are of two machines; and if they were not, no connection would go on from the one into the other.
 */
#include "begins_elsewhere.h"

#include <string.h>

#include "capture_chain.h"
#include "hash_index.h"
#include "memory.h"
#include "packet_decoder.h"

/* Packets of the file that are looked at, and the handshakes among them: some milliseconds a file. */
enum { PACKETS_LOOKED_AT = 16384, HANDSHAKES_MOST = 4096 };

struct handshake_numbers {
    uint32_t client_isn, server_isn;
};

struct handshake {
    struct handshake_numbers numbers;
    uint16_t client_port;
    bool shared;        /* by another connection of the file */
    uint32_t sightings; /* conversations of the point that have the same numbers */
};

struct handshakes {
    struct handshake list[HANDSHAKES_MOST];
    uint32_t count;
    struct hash_index by_numbers;
};

/* The addresses that are in all connections seen so far. */
struct common_ends {
    struct address list[SIDES];
    uint32_t count;
    bool any;
};

static void keep_common(struct common_ends *common, const struct address *a, const struct address *b)
{
    if (!common->any) {
        *common = (struct common_ends){{*a, *b}, 2, true};
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < common->count; i++)
        if (address_equal(&common->list[i], a) || address_equal(&common->list[i], b))
            common->list[kept++] = common->list[i];
    common->count = kept;
}

static bool are_apart(const struct common_ends *a, const struct common_ends *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = 0; j < b->count; j++)
            if (address_equal(&a->list[i], &b->list[j]))
                return false;
    return a->count > 0 && b->count > 0;
}

struct file_begin {
    struct handshakes handshakes;
    struct common_ends common;
};

static struct handshake *find(struct handshakes *handshakes, const struct handshake_numbers *wanted)
{
    struct hash_probe probe = hash_index_probe(&handshakes->by_numbers, hash_bytes(wanted, sizeof *wanted));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;)
        if (memcmp(&handshakes->list[n].numbers, wanted, sizeof *wanted) == 0)
            return &handshakes->list[n];
    return NULL;
}

static void add(struct handshakes *handshakes, const struct packet *p)
{
    enum { KIND = TCP_SYN | TCP_ACK };
    if (p->kind != PACKET_TCP || (p->tcp.flags & KIND) != KIND)
        return;
    struct handshake_numbers numbers = {p->tcp.ack - 1, p->tcp.seq};
    struct handshake *known = find(handshakes, &numbers);
    if (known) {
        known->shared = known->shared || known->client_port != p->destination.port;
        return;
    }
    hash_index_add(&handshakes->by_numbers, hash_bytes(&numbers, sizeof numbers), handshakes->count);
    handshakes->list[handshakes->count++] = (struct handshake){numbers, p->destination.port, false, 0};
}

static void read_begin(struct file_begin *begin, const char *path)
{
    struct capture_chain chain;
    struct packet_decoder decoder;
    struct capture_facts facts = {0};
    struct error error;
    capture_chain_open(&chain);
    packet_decoder_open(&decoder);
    if (capture_chain_add(&chain, path, 0, &facts, &error) == CAPTURE_OPENED)
        for (uint32_t left = PACKETS_LOOKED_AT; left > 0 && begin->handshakes.count < HANDSHAKES_MOST; left--) {
            const struct frame *frame = capture_chain_next(&chain);
            struct packet packet;
            if (!frame)
                break;
            packet_decode(&decoder, frame, &facts, &packet);
            add(&begin->handshakes, &packet);
            if (packet.kind == PACKET_TCP)
                keep_common(&begin->common, &packet.source.address, &packet.destination.address);
        }
    packet_decoder_close(&decoder);
    capture_chain_close(&chain);
    notes_close(&facts.notes);
}

static void sight(struct handshakes *handshakes, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!client->isn_known || !server->isn_known || server->data_packets == 0)
        return;
    struct handshake *handshake = find(handshakes, &(struct handshake_numbers){client->isn, server->isn});
    if (handshake)
        handshake->sightings++;
}

static bool has_seen(const struct file_begin *begin)
{
    for (uint32_t i = 0; i < begin->handshakes.count; i++)
        if (begin->handshakes.list[i].sightings == 1 && !begin->handshakes.list[i].shared)
            return true;
    return false;
}

bool begins_elsewhere(const struct casebook *casebook, uint32_t point, const struct capture_facts *file)
{
    if (file->only_once)
        return false;
    struct common_ends common = {.any = false};
    struct file_begin *begin = memory_take(sizeof *begin);
    *begin = (struct file_begin){.common = {.any = false}};
    hash_index_open(&begin->handshakes.by_numbers);
    read_begin(begin, capture_facts_path(file));
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->point != point)
            continue;
        sight(&begin->handshakes, c);
        keep_common(&common, &c->ends[SIDE_CLIENT].address, &c->ends[SIDE_SERVER].address);
    }
    bool elsewhere = has_seen(begin) || are_apart(&common, &begin->common);
    hash_index_close(&begin->handshakes.by_numbers);
    memory_give(begin);
    return elsewhere;
}
