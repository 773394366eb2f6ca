/* Which conversations have which traces (tcp_side.h): what is rare tells a conversation, what many have does not. */
#ifndef TDSCOPE_TRACE_INDEX_H
#define TDSCOPE_TRACE_INDEX_H

#include "view_groups.h"

enum trace_list { TRACED_HEADS, TRACED_STAMPS };

struct traced {
    uint32_t key; /* of list, side and hash */
    uint32_t point, number;
    uint32_t ip_id; /* of a stamp; 0: none */
};

/* Of conversations that no other capture is known to have, and of those that share a trace with one. */
struct trace_index {
    struct traced *list; /* by key, then point, then number */
    uint32_t count;
    uint32_t *populations; /* how many conversations each point has */
};

/* trace_index_close() gives the lists back. */
void trace_index_open(struct trace_index *index, const struct casebook *casebook, const struct view_groups *groups);
void trace_index_close(struct trace_index *index);

/* What a trace is filed under. */
uint32_t trace_key(enum trace_list list, enum side side, uint32_t hash);

/* How many conversations of the point have it, with that IP ID. */
uint32_t trace_index_count(const struct trace_index *index, uint32_t key, uint32_t point, uint32_t ip_id);

#endif
