/* Wireshark display filters for what a report speaks of (wireshark-filter(4)). */
#ifndef TDSCOPE_WIRESHARK_FILTER_H
#define TDSCOPE_WIRESHARK_FILTER_H

#include <stdbool.h>

#include "casebook.h"
#include "hash_index.h"

enum { WIRESHARK_FILTER_SIZE = 256 };

/* Knows which addresses and ports were used by several conversations, so that only their filters need a range. */
struct reused_tuples {
    const struct casebook *casebook;
    struct hash_index index;
};

/* reused: how many conversations have a tuple_reused; none need no passage over them all. */
void reused_tuples_open(struct reused_tuples *tuples, const struct casebook *casebook, uint32_t reused);
void reused_tuples_close(struct reused_tuples *tuples);
bool reused_tuples_have(const struct reused_tuples *tuples, const struct conversation *conversation);

/* Shows this conversation. only_this: others have the same addresses and ports, so the filter is bounded by frame
 * numbers, or by time when the conversation spans several capture files. Returns text. */
const char *wireshark_conversation_filter(const struct conversation *conversation, bool only_this,
                                          char text[static WIRESHARK_FILTER_SIZE]);

/* Shows one packet of the moment's capture file. Returns text. */
const char *wireshark_frame_filter(const struct moment *moment, char text[static WIRESHARK_FILTER_SIZE]);

#endif
