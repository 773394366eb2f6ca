/* Reassembly of IP datagrams (RFC 791 3.2, RFC 8200 4.5; RFC 5722 for why overlaps are suspicious). */
#include "fragments.h"

#include <string.h>

#include "hash_index.h"
#include "memory.h"

enum { DATAGRAM_BYTES_MAX = 65535, CAPACITY_LEAST = 4096 };

/* Bytes [from, to) of the datagram were on the wire, those up to captured_to are held. Pieces are sorted and do not
 * overlap: what comes later fills only the holes between them. */
struct piece {
    uint16_t from, to, captured_to;
};

struct partial {
    bool in_use;
    uint8_t protocol; /* valid with the piece that begins at 0 */
    struct fragment_key key;
    int64_t first_ns;
    uint64_t order;       /* of arrival, to find the oldest */
    uint32_t whole_bytes; /* 0: the last fragment has not come yet */
    uint32_t piece_count;
    uint32_t capacity;
    uint8_t *bytes;
    struct piece pieces[FRAGMENT_PIECES_MAX];
};

struct fragment_table {
    uint32_t
        hashes[FRAGMENT_DATAGRAMS_MAX]; /* of the keys, apart from them so that a search stays in few cache lines */
    struct partial partials[FRAGMENT_DATAGRAMS_MAX];
    uint64_t arrivals;
    size_t held_bytes;  /* sum of the capacities */
    uint8_t *completed; /* the bytes of the datagram handed out last */
};

struct fragment_table *fragments_open(void)
{
    return memory_take(sizeof(struct fragment_table));
}

void fragments_close(struct fragment_table *table)
{
    if (!table)
        return;
    for (int i = 0; i < FRAGMENT_DATAGRAMS_MAX; i++)
        memory_give(table->partials[i].bytes);
    memory_give(table->completed);
    memory_give(table);
}

static uint32_t key_hash(const struct fragment_key *key)
{
    uint32_t parts[4] = {hash_bytes(&key->source, sizeof key->source),
                         hash_bytes(&key->destination, sizeof key->destination), key->id, key->protocol};
    return hash_bytes(parts, sizeof parts);
}

static bool key_equal(const struct fragment_key *a, const struct fragment_key *b)
{
    return a->id == b->id && a->protocol == b->protocol && address_equal(&a->source, &b->source) &&
           address_equal(&a->destination, &b->destination);
}

static void give_partial(struct fragment_table *table, struct partial *partial)
{
    memory_give(partial->bytes);
    table->held_bytes -= partial->capacity;
    partial->bytes = NULL;
    partial->capacity = 0;
    partial->in_use = false;
}

static struct partial *oldest_but(struct fragment_table *table, const struct partial *spared)
{
    struct partial *oldest = NULL;
    for (int i = 0; i < FRAGMENT_DATAGRAMS_MAX; i++) {
        struct partial *partial = &table->partials[i];
        if (partial->in_use && partial != spared && (!oldest || partial->order < oldest->order))
            oldest = partial;
    }
    return oldest;
}

static void note_given_up(struct notes *notes, const struct fragment *fragment, const char *why)
{
    notes_add(notes, "fragments given up", "packet %u: a fragmented datagram is given up incomplete: %s",
              fragment->moment.frame, why);
}

static struct partial *begin_partial(struct fragment_table *table, const struct fragment *fragment, uint32_t hash,
                                     struct notes *notes)
{
    struct partial *place = NULL;
    for (int i = 0; i < FRAGMENT_DATAGRAMS_MAX && !place; i++)
        if (!table->partials[i].in_use)
            place = &table->partials[i];
    if (!place) {
        place = oldest_but(table, NULL);
        give_partial(table, place);
        note_given_up(notes, fragment, "too many others are under way");
    }
    place->in_use = true;
    place->key = fragment->key;
    place->first_ns = fragment->moment.time_ns;
    place->order = table->arrivals++;
    place->whole_bytes = 0;
    place->piece_count = 0;
    table->hashes[place - table->partials] = hash;
    return place;
}

/* Trace time may jump by any 64-bit value: unsigned arithmetic cannot overflow. */
static bool too_far_apart(int64_t a_ns, int64_t b_ns)
{
    uint64_t apart = a_ns > b_ns ? (uint64_t)a_ns - (uint64_t)b_ns : (uint64_t)b_ns - (uint64_t)a_ns;
    return apart > FRAGMENT_AGE_MAX_NS;
}

static struct partial *find_partial(struct fragment_table *table, const struct fragment *fragment, struct notes *notes)
{
    uint32_t hash = key_hash(&fragment->key);
    for (int i = 0; i < FRAGMENT_DATAGRAMS_MAX; i++) {
        struct partial *partial = &table->partials[i];
        if (table->hashes[i] != hash || !partial->in_use || !key_equal(&partial->key, &fragment->key))
            continue;
        if (!too_far_apart(partial->first_ns, fragment->moment.time_ns))
            return partial;
        give_partial(table, partial);
        note_given_up(notes, fragment, "the rest did not come in time");
    }
    return begin_partial(table, fragment, hash, notes);
}

static void reserve(struct fragment_table *table, struct partial *partial, uint32_t size, struct notes *notes,
                    const struct fragment *fragment)
{
    if (size <= partial->capacity)
        return;
    uint32_t capacity = partial->capacity ? partial->capacity : CAPACITY_LEAST;
    while (capacity < size)
        capacity *= 2;
    uint32_t added = capacity - partial->capacity;
    for (struct partial *other;
         table->held_bytes + added > FRAGMENT_BYTES_MAX && (other = oldest_but(table, partial));) {
        give_partial(table, other);
        note_given_up(notes, fragment, "too many bytes are held");
    }
    partial->bytes = memory_grow(partial->bytes, capacity, 1);
    partial->capacity = capacity;
    table->held_bytes += added;
}

static bool insert_piece(struct partial *partial, uint32_t index, struct piece piece, const struct fragment *fragment)
{
    if (partial->piece_count == FRAGMENT_PIECES_MAX)
        return false;
    struct piece *place = &partial->pieces[index];
    memmove(place + 1, place, (partial->piece_count - index) * sizeof *place);
    *place = piece;
    partial->piece_count++;
    if (piece.captured_to > piece.from)
        memcpy(partial->bytes + piece.from, fragment->captured.data + (piece.from - fragment->offset),
               (size_t)(piece.captured_to - piece.from));
    return true;
}

static uint32_t at_most(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

enum holding { HELD, HELD_WITH_OVERLAP, TOO_MANY_PIECES };

static enum holding hold_fragment(struct partial *partial, const struct fragment *fragment)
{
    uint32_t at = fragment->offset, end = fragment->offset + fragment->wire_length;
    uint32_t captured_end = fragment->offset + (uint32_t)fragment->captured.size;
    bool overlap = false;
    for (uint32_t i = 0; at < end; i++) {
        bool last = i == partial->piece_count;
        struct piece next = last ? (struct piece){0} : partial->pieces[i];
        if (!last && next.from == fragment->offset && next.to == end)
            return HELD; /* the capture, or a router, repeated the packet */
        if (!last && next.from <= at) {
            overlap |= next.to > at;
            at = next.to > at ? next.to : at;
            continue;
        }
        uint32_t hole_end = last ? end : at_most(end, next.from);
        uint32_t captured_to = captured_end < at ? at : at_most(captured_end, hole_end);
        if (!insert_piece(partial, i, (struct piece){(uint16_t)at, (uint16_t)hole_end, (uint16_t)captured_to},
                          fragment))
            return TOO_MANY_PIECES;
        at = hole_end;
    }
    return overlap ? HELD_WITH_OVERLAP : HELD;
}

static bool is_complete(const struct partial *partial)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < partial->piece_count && partial->pieces[i].from == at; i++)
        at = partial->pieces[i].to;
    return partial->whole_bytes != 0 && at >= partial->whole_bytes;
}

static uint32_t captured_prefix(const struct partial *partial)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < partial->piece_count; i++) {
        at = partial->pieces[i].captured_to;
        if (at < partial->pieces[i].to)
            break;
    }
    return at_most(at, partial->whole_bytes);
}

/* The bytes are handed over, so that further fragments (of a tunnelled datagram inside, say) cannot touch them. */
static void complete(struct fragment_table *table, struct partial *partial, struct datagram *whole)
{
    memory_give(table->completed);
    table->completed = partial->bytes;
    *whole = (struct datagram){
        .protocol = partial->protocol,
        .wire_length = partial->whole_bytes,
        .captured = {partial->bytes, captured_prefix(partial)},
    };
    partial->bytes = NULL;
    table->held_bytes -= partial->capacity;
    partial->capacity = 0;
    partial->in_use = false;
}

static bool is_sound(const struct fragment *fragment)
{
    bool whole_units = !fragment->more || fragment->wire_length % 8 == 0;
    return fragment->wire_length > 0 && whole_units && fragment->wire_length <= DATAGRAM_BYTES_MAX &&
           fragment->offset <= DATAGRAM_BYTES_MAX - fragment->wire_length;
}

bool fragments_add(struct fragment_table *table, const struct fragment *fragment, struct notes *notes,
                   struct datagram *whole)
{
    if (!is_sound(fragment)) {
        notes_add(notes, "bad fragment", "packet %u: a fragment of %u bytes at %u cannot be part of a datagram",
                  fragment->moment.frame, fragment->wire_length, fragment->offset);
        return false;
    }
    struct partial *partial = find_partial(table, fragment, notes);
    reserve(table, partial, fragment->offset + (uint32_t)fragment->captured.size, notes, fragment);
    enum holding holding = hold_fragment(partial, fragment);
    if (holding == TOO_MANY_PIECES) {
        give_partial(table, partial);
        note_given_up(notes, fragment, "it is in too many pieces");
        return false;
    }
    if (holding == HELD_WITH_OVERLAP)
        notes_add(notes, "fragments overlap", "packet %u: a fragment overlaps another; the bytes that came first count",
                  fragment->moment.frame);
    if (fragment->offset == 0)
        partial->protocol = fragment->protocol;
    if (!fragment->more && partial->whole_bytes == 0)
        partial->whole_bytes = fragment->offset + fragment->wire_length;
    if (!is_complete(partial))
        return false;
    complete(table, partial, whole);
    return true;
}
