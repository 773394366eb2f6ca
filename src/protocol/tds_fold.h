/* The state of a TDS stream that nothing comes of for now, packed: of a connection that waits for its next request. */
#ifndef TDSCOPE_TDS_FOLD_H
#define TDSCOPE_TDS_FOLD_H

#include <stdbool.h>

struct tds_state;

/* Whether it stands between two messages, and its facts are the conversation's. */
bool tds_may_fold(const struct tds_state *state);

/* Frees the state. What is returned holds all of it but the stream, the facts and what belongs to a call. */
void *tds_fold(struct tds_state *state);

/* Frees what is folded. The caller sets the stream and the facts. */
struct tds_state *tds_unfold(void *folded);

#endif
