/* Conversations, open and packed. */
#include "conversation_store.h"

#include <assert.h>
#include <string.h>

#include "memory.h"
#include "tls_facts.h"

/* What pairing writes to conversations that are over. */
struct links {
    struct comparison *comparison, *onward;
    uint32_t twin, next_view;
    enum match_evidence matched_by;
    bool secondary, doubtful;
    uint8_t match_bits, match_traces;
};

struct open_conversation {
    struct conversation facts; /* stands first: its address is the whole's, too */
    struct links packed_links; /* as in the packed image */
    uint32_t slab_number;
    uint32_t resting_at; /* where it stands in the ring */
    bool held;
};

struct conversation_place {
    struct open_conversation *open; /* NULL: it is packed */
    uint8_t *packed;                /* an image of all facts; what it was when it was packed last; NULL: never */
};

/* Notes of packed images: what they hold, and above that the number of the packer. */
enum { HAS_TDS = 1, HAS_TLS = 2, IS_PLAIN = 4, PACKER_SHIFT = 3 };

enum {
    JUDGING_BYTES = 128,   /* of a conversation: its mark, its place in the surveys' groups and times */
    ALLOCATION_BYTES = 16, /* what an allocation takes beyond what was asked for, about */
    CONVERSATION_WORDS = sizeof(struct conversation) / 8,
    TDS_WORDS = sizeof(struct tds_facts) / 8,
    FACTS_WORDS = CONVERSATION_WORDS + TDS_WORDS + sizeof(struct tls_facts) / 8
};
static_assert(sizeof(struct conversation) % 8 == 0 && sizeof(struct tds_facts) % 8 == 0 &&
                  sizeof(struct tls_facts) % 8 == 0,
              "only whole words are packed");
static_assert(FACTS_WORDS <= (int)IMAGE_WORDS && STORES_MOST <= UINT8_MAX >> PACKER_SHIFT,
              "facts no longer fit an image");

void conversation_store_open(struct conversation_store *store, uint32_t resting_most)
{
    *store = (struct conversation_store){.resting_most = resting_most};
    slab_open(&store->places, sizeof(struct conversation_place));
    slab_open(&store->conversations, sizeof(struct open_conversation));
    slab_open(&store->tds, sizeof(struct tds_facts));
    slab_open(&store->tls, sizeof(struct tls_facts));
}

void conversation_store_close(struct conversation_store *store)
{
    for (uint32_t i = 0; i < store->places.in_use; i++)
        memory_give(((struct conversation_place *)slab_at(&store->places, i))->packed);
    for (unsigned i = 0; i < STORES_MOST; i++)
        image_packer_close(&store->packers[i]);
    slab_close(&store->places);
    slab_close(&store->conversations);
    slab_close(&store->tds);
    slab_close(&store->tls);
    memory_give(store->begun_at);
    memory_give(store->resting);
    store->begun_at = NULL;
    store->resting = NULL;
}

static struct conversation_place *place_at(const struct conversation_store *store, uint32_t number)
{
    return slab_at(&store->places, number);
}

static struct open_conversation *take_open(struct conversation_store *store, uint32_t number)
{
    uint32_t slab_number = slab_take(&store->conversations);
    struct open_conversation *open = slab_at(&store->conversations, slab_number);
    open->slab_number = slab_number;
    open->facts.id = number + 1;
    return open;
}

void conversation_store_keep_order(struct conversation_store *store)
{
    store->begun_at = memory_take(sizeof *store->begun_at);
}

/* Room doubles whenever a power of two is reached. */
static void note_order(struct conversation_store *store, uint32_t number)
{
    if ((number & (number - 1)) == 0)
        store->begun_at = memory_grow(store->begun_at, number ? (size_t)number * 2 : 1, sizeof *store->begun_at);
    store->begun_at[number] = store->count;
}

struct conversation *conversation_store_add(struct conversation_store *store)
{
    uint32_t number = slab_take(&store->places);
    struct open_conversation *open = take_open(store, number);
    open->held = true;
    if (store->begun_at)
        note_order(store, number);
    place_at(store, number)->open = open;
    return &open->facts;
}

static struct links links_of(const struct conversation *c)
{
    return (struct links){.comparison = c->comparison,
                          .onward = c->onward,
                          .twin = c->twin,
                          .next_view = c->next_view,
                          .matched_by = c->matched_by,
                          .secondary = c->secondary,
                          .doubtful = c->doubtful,
                          .match_bits = c->match_bits,
                          .match_traces = c->match_traces};
}

static void set_links(struct conversation *c, const struct links *links)
{
    c->comparison = links->comparison;
    c->onward = links->onward;
    c->twin = links->twin;
    c->next_view = links->next_view;
    c->matched_by = links->matched_by;
    c->secondary = links->secondary;
    c->doubtful = links->doubtful;
    c->match_bits = links->match_bits;
    c->match_traces = links->match_traces;
}

static bool links_are(const struct links *links, const struct conversation *c)
{
    return links->comparison == c->comparison && links->onward == c->onward && links->twin == c->twin &&
           links->next_view == c->next_view && links->matched_by == c->matched_by && links->secondary == c->secondary &&
           links->doubtful == c->doubtful && links->match_bits == c->match_bits &&
           links->match_traces == c->match_traces;
}

/* Where the client's and the server's numbers begin is chosen at random: what they count up to from there is much alike. Zero, which is
 * none, stays zero, and changes places with the number that would become it. */
uint32_t sequence_relative(uint32_t seq, uint32_t base)
{
    if (seq == 0 || seq == base)
        return 0 - seq;
    return seq - base;
}

uint32_t sequence_absolute(uint32_t relative, uint32_t base)
{
    if (relative == 0 || relative == 0 - base)
        return 0 - relative;
    return relative + base;
}

static void change_seqs(struct conversation *c, uint32_t (*change)(uint32_t seq, uint32_t base))
{
    for (unsigned i = 0; i < SIDES; i++) {
        struct tcp_side *side = &c->sides[i];
        side->seq_first = change(side->seq_first, side->isn);
        side->seq_end = change(side->seq_end, side->isn);
        side->marked_seq = change(side->marked_seq, side->isn);
    }
}

/* What only an open one has is left out: its own number and where its facts stand. Copied as bytes, so that what is between members, too, is
 * the same each time. */
static void put_conversation(struct image *image, const struct conversation *facts, bool with_links)
{
    struct conversation c;
    memcpy(&c, facts, sizeof c);
    c.id = 0;
    c.tds = NULL;
    if (!with_links)
        set_links(&c, &(struct links){0});
    change_seqs(&c, sequence_relative);
    image_put(image, &c, sizeof c);
}

static void put_tds(struct image *image, const struct tds_facts *facts)
{
    struct tds_facts tds;
    memcpy(&tds, facts, sizeof tds);
    tds.number = 0;
    tds.tls = NULL;
    image_put(image, &tds, sizeof tds);
}

static void put_tls(struct image *image, const struct tls_facts *facts)
{
    struct tls_facts tls;
    memcpy(&tls, facts, sizeof tls);
    tls.number = 0;
    image_put(image, &tls, sizeof tls);
}

void conversation_put_resting(const struct conversation *facts, struct image *image)
{
    static const struct tds_facts none;
    put_conversation(image, facts, false);
    put_tds(image, facts->tds ? facts->tds : &none);
}

static size_t pack_facts(struct image_packer *packer, const struct conversation *c, uint8_t *to)
{
    struct image image;
    uint8_t note = conversation_is_plain(c) ? IS_PLAIN : 0;
    image_begin(&image);
    put_conversation(&image, c, true);
    if (c->tds) {
        put_tds(&image, c->tds);
        note |= HAS_TDS;
    }
    if (c->tds && c->tds->tls) {
        put_tls(&image, c->tds->tls);
        note |= HAS_TLS;
    }
    return image_pack(packer, &image, 0, note, to);
}

static void forget_packed(struct conversation_store *store, struct conversation_place *place)
{
    if (!place->packed)
        return;
    store->packed_bytes -= packed_image_head(place->packed).size;
    memory_give(place->packed);
    place->packed = NULL;
}

static void give_facts(struct conversation_store *store, const struct conversation *c)
{
    if (c->tds && c->tds->tls)
        slab_give(&store->tls, c->tds->tls->number);
    if (c->tds)
        slab_give(&store->tds, c->tds->number);
}

static void pack(struct conversation_store *store, struct conversation_place *place)
{
    struct open_conversation *open = place->open;
    uint8_t bytes[PACKED_IMAGE_MOST(FACTS_WORDS)];
    if (place->packed && !links_are(&open->packed_links, &open->facts))
        forget_packed(store, place);
    if (!place->packed) {
        size_t size = pack_facts(&store->packers[0], &open->facts, bytes);
        store->packed_bytes += size;
        place->packed = memcpy(memory_take(size), bytes, size);
    }
    give_facts(store, &open->facts);
    slab_give(&store->conversations, open->slab_number);
    place->open = NULL;
}

/* The conversation that rests there, or is held since; NULL: none does any more. */
static struct open_conversation *resting_in(const struct conversation_store *store, uint32_t slot)
{
    uint32_t number = store->resting[slot];
    struct open_conversation *open = number < store->places.in_use ? place_at(store, number)->open : NULL;
    return open && open->resting_at == slot ? open : NULL;
}

/* Changes places with the one that would be packed next: so what fits into the ring is never packed. */
static void leave_slot(struct conversation_store *store, uint32_t slot)
{
    struct open_conversation *oldest = resting_in(store, store->resting_at);
    store->resting[slot] = store->resting[store->resting_at];
    if (oldest)
        oldest->resting_at = slot;
}

static void let_rest(struct conversation_store *store, uint32_t number, struct open_conversation *open)
{
    if (!store->resting) {
        store->resting = memory_take_array(store->resting_most, sizeof *store->resting);
        memset(store->resting, 0xff, store->resting_most * sizeof *store->resting);
    }
    if (open->resting_at < store->resting_most && store->resting[open->resting_at] == number) {
        leave_slot(store, open->resting_at);
    } else {
        const struct open_conversation *oldest = resting_in(store, store->resting_at);
        if (oldest && !oldest->held)
            pack(store, place_at(store, store->resting[store->resting_at]));
    }
    store->resting[store->resting_at] = number;
    open->resting_at = store->resting_at;
    open->held = false;
    store->resting_at = (store->resting_at + 1) % store->resting_most;
}

/* Of those that rest, it is one that others will push out before long. */
static bool is_in_older_half(const struct conversation_store *store, const struct open_conversation *open)
{
    uint32_t since = (store->resting_at + store->resting_most - 1 - open->resting_at) % store->resting_most;
    return since >= store->resting_most / 2;
}

static void unpack_tds(struct conversation_store *store, const struct image *image, uint32_t at, struct conversation *c)
{
    uint32_t number = slab_take(&store->tds);
    c->tds = slab_at(&store->tds, number);
    at = image_get(image, at, c->tds, sizeof *c->tds);
    c->tds->number = number;
    if (at == image->end)
        return;
    number = slab_take(&store->tls);
    c->tds->tls = slab_at(&store->tls, number);
    image_get(image, at, c->tds->tls, sizeof *c->tds->tls);
    c->tds->tls->number = number;
}

static uint32_t words_of(uint8_t note)
{
    if (note & HAS_TLS)
        return FACTS_WORDS;
    return CONVERSATION_WORDS + (note & HAS_TDS ? TDS_WORDS : 0);
}

/* Where what else was packed with it begins in the image. */
static uint32_t read_packed(struct conversation_store *store, uint32_t number, const struct conversation_place *place,
                            struct image *image, struct conversation *c)
{
    uint8_t note = packed_image_head(place->packed).note;
    image_begin(image);
    image_unpack(&store->packers[note >> PACKER_SHIFT], place->packed, image, words_of(note));
    uint32_t at = image_get(image, image_first(), c, sizeof *c);
    c->id = number + 1;
    change_seqs(c, sequence_absolute);
    return at;
}

static void unpack(struct conversation_store *store, uint32_t number, struct conversation_place *place)
{
    struct image image;
    struct open_conversation *open = place->open = take_open(store, number);
    uint32_t at = read_packed(store, number, place, &image, &open->facts);
    open->packed_links = links_of(&open->facts);
    if (packed_image_head(place->packed).note & HAS_TDS)
        unpack_tds(store, &image, at, &open->facts);
}

struct conversation *conversation_store_at(struct conversation_store *store, uint32_t number)
{
    struct conversation_place *place = place_at(store, number);
    if (!place->open) {
        unpack(store, number, place);
        let_rest(store, number, place->open);
    } else if (!place->open->held && is_in_older_half(store, place->open)) {
        let_rest(store, number, place->open); /* asked for again: as if it had just come to rest */
    }
    return &place->open->facts;
}

struct conversation *conversation_store_hold(struct conversation_store *store, uint32_t number)
{
    struct conversation_place *place = place_at(store, number);
    if (!place->open)
        unpack(store, number, place);
    forget_packed(store, place);
    place->open->held = true;
    return &place->open->facts;
}

void conversation_store_rest(struct conversation_store *store, uint32_t number)
{
    struct conversation_place *place = place_at(store, number);
    if (place->open && place->open->held)
        let_rest(store, number, place->open);
}

void conversation_store_rest_all(struct conversation_store *store)
{
    for (uint32_t i = 0; i < store->places.in_use; i++)
        conversation_store_rest(store, i);
}

uint64_t conversation_store_bytes(const struct conversation_store *store)
{
    return slab_bytes(&store->conversations) + slab_bytes(&store->tds) + slab_bytes(&store->tls) + store->packed_bytes +
           (uint64_t)store->places.in_use * (store->places.element_size + ALLOCATION_BYTES + JUDGING_BYTES);
}

/* Reads it without opening it. One that is kept is not asked for again. */
static bool is_kept(struct conversation_store *store, uint32_t number, struct conversation_place *place,
                    const struct conversation_keeper *keeper)
{
    struct conversation facts;
    struct tds_facts tds;
    struct tls_facts tls;
    struct image image;
    struct packed_image head = packed_image_head(place->packed);
    uint32_t at = read_packed(store, number, place, &image, &facts);
    at = image_get(&image, at, &tds, sizeof tds); /* none is plain without */
    facts.tds = &tds;
    tds.tls = head.note & HAS_TLS ? &tls : NULL;
    if (tds.tls)
        image_get(&image, at, &tls, sizeof tls);
    if (!keeper->keeps(keeper->context, &facts))
        return false;
    head.note &= (uint8_t)~IS_PLAIN;
    memcpy(place->packed, &head, sizeof head);
    return true;
}

static uint64_t forget_if_plain(struct conversation_store *store, uint32_t number, struct conversation_place *place,
                                const struct conversation_keeper *keeper)
{
    if (place->open || !(packed_image_head(place->packed).note & IS_PLAIN))
        return 0;
    if (keeper && is_kept(store, number, place, keeper))
        return 0;
    uint64_t size = packed_image_head(place->packed).size;
    forget_packed(store, place);
    store->folded++;
    return size + store->places.element_size + ALLOCATION_BYTES + JUDGING_BYTES;
}

static void renumber_resting(struct conversation_store *store, const uint32_t *moved)
{
    for (uint32_t i = 0; store->resting && i < store->resting_most; i++)
        if (store->resting[i] < store->places.in_use)
            store->resting[i] = moved[store->resting[i]];
}

uint32_t *conversation_store_fold(struct conversation_store *store, uint64_t bytes,
                                  const struct conversation_keeper *keeper)
{
    uint32_t *moved = memory_take_array(store->places.in_use, sizeof *moved), kept = 0;
    uint64_t freed = 0;
    for (uint32_t i = 0; i < store->places.in_use; i++) {
        struct conversation_place *place = place_at(store, i);
        uint64_t forgotten = freed < bytes ? forget_if_plain(store, i, place, keeper) : 0;
        freed += forgotten;
        moved[i] = forgotten ? SLAB_NONE : kept;
        if (forgotten)
            continue;
        *place_at(store, kept) = *place;
        if (place->open)
            place->open->facts.id = kept + 1;
        kept++;
    }
    if (freed == 0) {
        memory_give(moved);
        return NULL;
    }
    renumber_resting(store, moved);
    slab_truncate(&store->places, kept);
    return moved;
}

/* The store whose next conversation began first; NULL: there is none left. at: of each store, the next. */
static uint32_t earliest(struct conversation_store *const *stores, const uint32_t *at, uint32_t count)
{
    uint32_t first = STORES_MOST;
    for (uint32_t i = 0; i < count; i++)
        if (at[i] < stores[i]->places.in_use &&
            (first == STORES_MOST || stores[i]->begun_at[at[i]] < stores[first]->begun_at[at[first]]))
            first = i;
    return first;
}

/* Of an image that was packed by the first packer of its store. */
static void set_packer(struct conversation_place *place, uint32_t packer)
{
    struct packed_image head = packed_image_head(place->packed);
    head.note |= (uint8_t)(packer << PACKER_SHIFT);
    memcpy(place->packed, &head, sizeof head);
}

/* Whose images come into this store. */
static void take_packer(struct conversation_store *store, uint32_t number, struct conversation_store *from)
{
    if (store == from)
        return;
    store->packers[number] = from->packers[0];
    from->packers[0] = (struct image_packer){0};
}

/* By how much numbers of a store's slabs are more in the one that it comes into. */
struct slab_shift {
    uint32_t conversations, tds, tls;
};

static struct slab_shift take_over_slabs(struct conversation_store *store, struct conversation_store *other)
{
    return (struct slab_shift){slab_take_over(&store->conversations, &other->conversations),
                               slab_take_over(&store->tds, &other->tds), slab_take_over(&store->tls, &other->tls)};
}

static void renumber_open(struct open_conversation *open, uint32_t number, struct slab_shift by)
{
    open->slab_number += by.conversations;
    open->facts.id = number + 1;
    if (open->facts.tds)
        open->facts.tds->number += by.tds;
    if (open->facts.tds && open->facts.tds->tls)
        open->facts.tds->tls->number += by.tls;
}

static void take_place(struct conversation_store *store, const struct conversation_place *from, uint32_t packer,
                       struct slab_shift by)
{
    uint32_t number = slab_take(&store->places);
    struct conversation_place *place = place_at(store, number);
    *place = *from;
    if (place->packed)
        set_packer(place, packer);
    if (place->open)
        renumber_open(place->open, number, by);
}

/* Where it rested before does not matter any more. */
static void rest_all_anew(struct conversation_store *store)
{
    memory_give(store->resting);
    store->resting = NULL;
    store->resting_at = 0;
    for (uint32_t i = 0; i < store->places.in_use; i++) {
        struct open_conversation *open = place_at(store, i)->open;
        if (open)
            let_rest(store, i, open);
    }
}

void conversation_store_merge(struct conversation_store *store, struct conversation_store *const *others,
                              uint32_t count)
{
    struct conversation_store *all[STORES_MOST] = {store}, own = *store;
    struct slab_shift by[STORES_MOST] = {{0, 0, 0}};
    uint32_t at[STORES_MOST] = {0}, from;
    for (uint32_t i = 1; i <= count; i++) {
        all[i] = others[i - 1];
        take_packer(store, i, all[i]);
        by[i] = take_over_slabs(store, all[i]);
        store->packed_bytes += all[i]->packed_bytes;
    }
    slab_open(&store->places, own.places.element_size);
    all[0] = &own;
    while ((from = earliest(all, at, count + 1)) != STORES_MOST)
        take_place(store, place_at(all[from], at[from]++), from, by[from]);
    for (uint32_t i = 1; i <= count; i++) {
        all[i]->places.in_use = 0;
        conversation_store_close(all[i]);
    }
    slab_close(&own.places);
    memory_give(store->begun_at);
    store->begun_at = NULL;
    rest_all_anew(store);
}

/* In the order in which they came to rest there; by: so much more their numbers are here. */
static void rest_as_in(struct conversation_store *store, const uint32_t *resting, uint32_t most, uint32_t at,
                       uint32_t by)
{
    for (uint32_t i = 0; resting && i < most; i++) {
        uint32_t slot = (at + i) % most, number = resting[slot];
        struct open_conversation *open = number == SLAB_NONE ? NULL : place_at(store, number + by)->open;
        if (open && !open->held && open->resting_at == slot)
            let_rest(store, number + by, open);
    }
}

/* There is room for all that rest in both. */
static void join_resting(struct conversation_store *store, const struct conversation_store *other, uint32_t by)
{
    uint32_t *resting = store->resting, most = store->resting_most, at = store->resting_at;
    store->resting = NULL;
    store->resting_most = most + other->resting_most;
    store->resting_at = 0;
    rest_as_in(store, resting, most, at, 0);
    rest_as_in(store, other->resting, other->resting_most, other->resting_at, by);
    memory_give(resting);
}

void conversation_store_append(struct conversation_store *store, struct conversation_store *other)
{
    uint32_t by = store->places.in_use;
    struct slab_shift slabs_by = take_over_slabs(store, other);
    take_packer(store, 1, other);
    store->packed_bytes += other->packed_bytes;
    for (uint32_t i = 0; i < other->places.in_use; i++)
        take_place(store, place_at(other, i), 1, slabs_by);
    join_resting(store, other, by);
    other->places.in_use = 0;
    conversation_store_close(other);
}
