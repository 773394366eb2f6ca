/* The state of a TDS stream that nothing comes of for now, packed: of a connection that waits for its next request. */
#ifndef TDSCOPE_TDS_FOLD_H
#define TDSCOPE_TDS_FOLD_H

#include <stdbool.h>
#include <stdint.h>

struct image;
struct tds_state;

/* Whether it stands between two messages, and its facts are the conversation's. */
bool tds_may_fold(const struct tds_state *state);

/* Puts all of the state but the stream, the facts and what belongs to a call at the image's end, and frees it. */
void tds_fold(struct tds_state *state, struct image *image);

/* The state that was put there. The caller sets the stream and the facts. */
struct tds_state *tds_unfold(const struct image *image, uint32_t at);

#endif
