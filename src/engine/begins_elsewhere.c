/*
 * Theory of operation. A SYN+ACK bears the initial sequence numbers of both sides, 64 bits that no other connection has, whatever
 * rewrites addresses. Once the server has sent data, it has had the client's answer and does not send the SYN+ACK again (RFC 9293,
 * 3.10.7.4). So a piece of a ring buffer brings other handshakes than the pieces before it; the capture of the other end brings the
 * same, however far the clocks differ, and among those of other machines. Numbers that several connections share, as those of generated
 * packets do, tell nothing.
 *
 * Where the file was taken is compared with where the point's first one was (capture_place.c), and with the addresses that all connections
 * of the point have had so far.
 *
 * Before each file just the conversations that are new are looked at, so that the time follows their number, however many files there are;
 * those that were new before the file before it once more, for the handshake may be in two files.
 */
#include "begins_elsewhere.h"

#include <string.h>

#include "capture_chain.h"
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
    bool shared; /* by another connection of the file */
};

struct handshakes {
    struct handshake list[HANDSHAKES_MOST];
    uint32_t count;
    struct hash_index by_numbers;
};

struct file_begin {
    struct handshakes handshakes;
    struct capture_place place;
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
    handshakes->list[handshakes->count++] = (struct handshake){numbers, p->destination.port, false};
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
            capture_place_see(&begin->place, frame, &packet);
        }
    begin->place.maker = facts.maker;
    packet_decoder_close(&decoder);
    capture_chain_close(&chain);
    notes_close(&facts.notes);
}

/* The same whichever end is taken for the server's. */
static uint32_t hash_numbers(uint32_t one, uint32_t other)
{
    const uint32_t numbers[2] = {one < other ? one : other, one < other ? other : one};
    return hash_bytes(numbers, sizeof numbers);
}

static bool is_indexed(const struct hash_index *index, uint32_t hash, uint32_t number)
{
    struct hash_probe probe = hash_index_probe(index, hash);
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;)
        if (n == number)
            return true;
    return false;
}

static void index_handshake(struct hash_index *index, const struct conversation *c, uint32_t number)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!client->isn_known || !server->isn_known)
        return;
    uint32_t hash = hash_numbers(client->isn, server->isn);
    if (!is_indexed(index, hash, number))
        hash_index_add(index, hash, number);
}

void begun_open(struct begun *begun, uint32_t points_most)
{
    *begun = (struct begun){.common = memory_take_array(points_most, sizeof *begun->common),
                            .places = memory_take_array(points_most, sizeof *begun->places)};
    for (unsigned i = 0; i < STORES_MOST; i++)
        hash_index_open(&begun->parts[i].by_numbers);
}

void begun_close(struct begun *begun)
{
    for (unsigned i = 0; i < STORES_MOST; i++)
        hash_index_close(&begun->parts[i].by_numbers);
    memory_give(begun->common);
    memory_give(begun->places);
}

static void look_at_new(struct begun *begun, struct begun_part *part, const struct casebook *casebook)
{
    uint32_t count = casebook_conversations(casebook);
    for (uint32_t i = part->looked_at_before; i < count; i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        index_handshake(&part->by_numbers, c, i);
        if (i >= part->looked_at)
            common_ends_keep(&begun->common[c->point], &c->ends[SIDE_CLIENT].address, &c->ends[SIDE_SERVER].address);
    }
    part->looked_at_before = part->looked_at;
    part->looked_at = count;
}

void begun_look(struct begun *begun, const struct followers *followers)
{
    for (unsigned i = 0; i < followers_count(followers); i++)
        look_at_new(begun, &begun->parts[i], followers_casebook(followers, (uint8_t)i));
}

static bool has_numbers(const struct conversation *c, const struct handshake_numbers *numbers)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return client->isn_known && server->isn_known && client->isn == numbers->client_isn &&
           server->isn == numbers->server_isn && server->data_packets > 0;
}

/* Conversations of the point that have these numbers. */
static uint32_t sightings(const struct begun *begun, const struct followers *followers, uint32_t point,
                          const struct handshake_numbers *numbers)
{
    uint32_t count = 0, hash = hash_numbers(numbers->client_isn, numbers->server_isn);
    for (unsigned i = 0; i < followers_count(followers); i++) {
        struct hash_probe probe = hash_index_probe(&begun->parts[i].by_numbers, hash);
        for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
            const struct conversation *c = casebook_conversation(followers_casebook(followers, (uint8_t)i), n);
            count += c->point == point && has_numbers(c, numbers);
        }
    }
    return count;
}

static bool has_seen(const struct begun *begun, const struct followers *followers, uint32_t point,
                     const struct handshakes *handshakes)
{
    for (uint32_t i = 0; i < handshakes->count; i++)
        if (!handshakes->list[i].shared && sightings(begun, followers, point, &handshakes->list[i].numbers) == 1)
            return true;
    return false;
}

static void look_into(struct file_begin *begin, const struct capture_facts *file)
{
    *begin = (struct file_begin){.place = {.ends = {.any = false}}};
    hash_index_open(&begin->handshakes.by_numbers);
    read_begin(begin, capture_facts_path(file));
    hash_index_close(&begin->handshakes.by_numbers);
}

static const struct capture_place *place_of(struct begun *begun, uint32_t point, const struct capture_facts *first)
{
    struct begun_place *known = &begun->places[point];
    if (!known->looked && !first->only_once) {
        struct file_begin *begin = memory_take(sizeof *begin);
        look_into(begin, first);
        known->place = begin->place;
        memory_give(begin);
    }
    known->looked = true;
    return &known->place;
}

bool begins_elsewhere(struct begun *begun, const struct followers *followers, uint32_t point,
                      const struct capture_facts *first, const struct capture_facts *file)
{
    if (file->only_once)
        return false;
    struct file_begin *begin = memory_take(sizeof *begin);
    look_into(begin, file);
    bool elsewhere = has_seen(begun, followers, point, &begin->handshakes) ||
                     common_ends_apart(&begun->common[point], &begin->place.ends) ||
                     capture_places_differ(place_of(begun, point, first), &begin->place);
    memory_give(begin);
    return elsewhere;
}
