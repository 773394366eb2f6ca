/*
 * Matches conversations of different captures, strongest evidence first:
 *
 *   1. the connection GUID of PRELOGIN (MS-TDS 2.2.6.5, TRACEID): the same bytes everywhere, whatever rewrites addresses;
 *   2. both initial sequence numbers: 64 bits that only a device which randomises them changes;
 *   3. addresses, ports and the client's initial sequence number: for connections that were never accepted;
 *   4. traces of their packets, weighed together: what messages begin with, timestamps, IP IDs. For those behind devices that rewrite
 *      sequence numbers, too;
 *   5. the lengths of their messages, at the same moments. For those of which nothing else is captured;
 *   6. addresses and ports alone, when only one conversation of each capture has them and their times overlap;
 *   7. the sequence numbers that both directions count through: for those under way when the captures began, behind address
 *      translation.
 *
 * What fits several equally well stays unmatched: a wrong pair accuses the network of losing what was another's.
 */
#include "pairing.h"

#include <string.h>

#include "doubts.h"
#include "match_keys.h"
#include "match_lengths.h"
#include "match_traces.h"
#include "path_clocks.h"
#include "under_way.h"
#include "view_groups.h"

static void match_by_numbers(struct casebook *casebook, struct view_groups *groups)
{
    view_groups_open(groups, casebook_conversations(casebook));
    for (enum match_evidence round = MATCHED_BY_CONNECTION_ID; round < MATCHED_BY_TRACES; round++)
        match_keys_round(casebook, groups, round);
    match_traces_round(casebook, groups);
    match_lengths_round(casebook, groups);
}

/* From the client to the server. */
static uint32_t order_views(const struct casebook *casebook, const struct view_groups *groups, uint32_t head,
                            uint32_t ordered[static PATH_POINTS_MOST])
{
    uint32_t count = 0;
    for (uint32_t i = head; i != VIEWS_END; i = groups->next[i]) {
        uint32_t at = count++;
        for (; at > 0 && path_is_nearer(casebook, view_numbered(casebook, i)->point,
                                        view_numbered(casebook, ordered[at - 1])->point);
             at--)
            ordered[at] = ordered[at - 1];
        ordered[at] = i;
    }
    return count;
}

static void count_pairs(struct casebook *casebook, const uint32_t *ordered, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++)
            point_pairs_need(&casebook->pairs, view_numbered(casebook, ordered[i])->point,
                             view_numbered(casebook, ordered[j])->point)
                ->connections++;
}

static void link_views(struct casebook *casebook, const struct view_groups *groups)
{
    for (uint32_t i = 0; i < groups->count; i++) {
        uint32_t ordered[PATH_POINTS_MOST];
        if (groups->head[i] != i || groups->next[i] == VIEWS_END)
            continue;
        uint32_t count = order_views(casebook, groups, i, ordered);
        struct conversation *stands = casebook_conversation(casebook, ordered[0]);
        stands->twin = ordered[count - 1] + 1;
        for (uint32_t j = 1; j < count; j++) {
            struct conversation *c = casebook_conversation(casebook, ordered[j]);
            c->secondary = true;
            c->twin = stands->id;
            casebook_conversation(casebook, ordered[j - 1])->next_view = c->id;
            casebook->secondary_count++;
        }
        count_pairs(casebook, ordered, count);
    }
}

/* Beside a capture that was said to be taken at an end, one of the same connections that only looks like it stands before it. */
static void set_on_the_way(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        struct point_facts *near = &casebook->points[casebook->pairs.list[i].near],
                           *far = &casebook->points[casebook->pairs.list[i].far];
        if (near->role == far->role && near->role_given != far->role_given)
            (near->role_given ? far : near)->role = CAPTURE_ROLE_MIDDLE;
    }
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        casebook->captures[i].role = casebook->points[casebook->captures[i].point].role;
}

void pairing_run(struct casebook *casebook)
{
    struct view_groups groups;
    if (casebook->point_count < 2)
        return;
    match_by_numbers(casebook, &groups);
    if (!path_clocks_measure(casebook, &groups)) {
        view_groups_close(&groups);
        casebook->pairs.count = 0;
        match_by_numbers(casebook, &groups);
        path_clocks_measure(casebook, &groups);
    }
    set_on_the_way(casebook);
    memset(groups.doubtful, 0, groups.count * sizeof *groups.doubtful); /* the clocks tell more now */
    match_keys_round(casebook, &groups, MATCHED_BY_ENDS);
    under_way_match(casebook, &groups);
    match_traces_round(casebook, &groups);
    match_lengths_round(casebook, &groups);
    path_clocks_complete(casebook, &groups);
    link_views(casebook, &groups);
    path_clocks_settle(casebook);
    doubts_settle(casebook, &groups);
    view_groups_close(&groups);
}
