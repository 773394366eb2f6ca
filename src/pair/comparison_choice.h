/* Which connections are worth comparing packet by packet. */
#ifndef TDSCOPE_COMPARISON_CHOICE_H
#define TDSCOPE_COMPARISON_CHOICE_H

#include <stdbool.h>

#include "conversation.h"

/* Something is not as in a healthy connection, on either side: something was sent again, not answered or reset, or the two
 * captures do not hold the same number of packets. */
bool comparison_is_worth(const struct conversation *client, const struct conversation *server);

#endif
