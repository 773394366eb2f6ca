/* The views of each connection, as far as they are known to be one, and what may be one. */
#ifndef TDSCOPE_VIEW_GROUPS_H
#define TDSCOPE_VIEW_GROUPS_H

#include "casebook.h"

/* Lists by number of the conversation. */
struct view_groups {
    uint32_t *head; /* of each conversation: the first of its group */
    uint32_t *next; /* the next of its group; VIEWS_END: it is the last */
    bool *doubtful; /* it may be the same as another one, or as several, and nothing tells */
    uint32_t count;
};
#define VIEWS_END UINT32_MAX

/* How two views are known to be of one connection. */
struct match {
    enum match_evidence evidence;
    double bits; /* so much likelier than chance, as a power of two; 0: not reckoned */
    unsigned by; /* enum match_trace */
};

static inline const struct conversation *view_numbered(const struct casebook *casebook, uint32_t number)
{
    return casebook_conversation(casebook, number);
}

/* Each of so many conversations by itself. */
void view_groups_open(struct view_groups *groups, uint32_t count);
void view_groups_close(struct view_groups *groups);

/* No other capture is known to have it. */
static inline bool view_is_single(const struct view_groups *groups, uint32_t number)
{
    return groups->head[number] == number && groups->next[number] == VIEWS_END;
}

/* Whether the conversation's group has a view at that point. */
bool view_groups_have(const struct casebook *casebook, const struct view_groups *groups, uint32_t number,
                      uint32_t point);

/* Whether the two points can have seen the same connection. */
bool points_may_share(const struct casebook *casebook, uint32_t a, uint32_t b);

/* Whether they have connections in common, or are of a client and a server. */
bool points_are_related(const struct casebook *casebook, uint32_t a, uint32_t b);

/* Whether the groups of two conversations can be one. */
bool view_groups_may_unite(const struct casebook *casebook, const struct view_groups *groups, uint32_t a, uint32_t b);

/* Makes them one, and tells the conversations by what they are matched. */
void view_groups_unite(struct casebook *casebook, struct view_groups *groups, uint32_t a, uint32_t b,
                       struct match match);

/* Both views have a direction from its SYN on, and the one has more of it than there is, by the FIN that the other has; or both have all
 * of the connection, and no random bytes in common. */
bool views_contradict(const struct conversation *a, const struct conversation *b);

/* These look alike: those without a partner, if there are some at two points that are related, may be any of each other. */
void view_groups_doubt(const struct casebook *casebook, struct view_groups *groups, const uint32_t *numbers,
                       uint32_t count);

/* How far two views of a connection may lie apart in time, beyond what is known of the clocks. */
#define VIEWS_APART_NS (5 * NS_PER_SECOND)

/* Whether two conversations were at the same time, as far as the clocks are known. */
bool view_times_fit(const struct casebook *casebook, const struct conversation *a, const struct conversation *b);

/* Whether they were not: clocks that are known bind, clocks that are not say nothing against. */
bool view_times_contradict(const struct casebook *casebook, const struct conversation *a, const struct conversation *b);

/* Whether two views can be of one connection that is not known yet: neither has a view at the other's point, and one of them no
 * partner at all. */
bool views_may_be_new(const struct casebook *casebook, const struct view_groups *groups, uint32_t a, uint32_t b);

#endif
