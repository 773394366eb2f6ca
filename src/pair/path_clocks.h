/* How the clocks of capture points differ, and which of two points is nearer to the client, from the packets that both have. */
#ifndef TDSCOPE_PATH_CLOCKS_H
#define TDSCOPE_PATH_CLOCKS_H

#include "view_groups.h"

/* Sets the clocks of casebook->pairs, and makes pairs as they are needed. false: the captures of the client and the server were given
 * the wrong way round, which is put right now and noted of them; then all has to be matched again. */
bool path_clocks_measure(struct casebook *casebook, const struct view_groups *groups);

/* Once connections were matched by their ends, too: the clocks of pairs of which none is known yet, from such as count the same bytes. */
void path_clocks_complete(struct casebook *casebook, const struct view_groups *groups);

/* Whether point a is nearer to the client than b: by where they were taken, else as their pair says. */
bool path_is_nearer(const struct casebook *casebook, uint32_t a, uint32_t b);

/* Sets casebook->clock and the clocks of the points from those of the pairs. */
void path_clocks_settle(struct casebook *casebook);

#endif
