/* Whether a capture file goes on where a capture point ended, or was taken in another place. */
#ifndef TDSCOPE_BEGINS_ELSEWHERE_H
#define TDSCOPE_BEGINS_ELSEWHERE_H

#include "capture_place.h"
#include "casebook.h"
#include "followers.h"
#include "hash_index.h"

/* What the conversations that a follower has had so far tell of where they were captured. */
struct begun_part {
    uint32_t looked_at, looked_at_before;
    struct hash_index by_numbers; /* of conversations whose handshake was seen, by its sequence numbers */
};

/* Of the point's first file; looked at when another may go on with it. */
struct begun_place {
    struct capture_place place;
    bool looked;
};

struct begun {
    struct begun_part parts[STORES_MOST];
    struct common_ends *common; /* of each point: the addresses that are in all its connections so far */
    struct begun_place *places; /* of each point */
};

void begun_open(struct begun *begun, uint32_t points_most);
void begun_close(struct begun *begun);

/* Looks at the conversations that are new since the last time. */
void begun_look(struct begun *begun, const struct followers *followers);

/* Of the handshakes that the file begins with, the point has one already; or it was taken on another machine or card than the point's first
 * file, or further along the way. false as well when the file cannot be read twice. */
bool begins_elsewhere(struct begun *begun, const struct followers *followers, uint32_t point,
                      const struct capture_facts *first, const struct capture_facts *file);

#endif
