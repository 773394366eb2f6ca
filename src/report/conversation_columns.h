/* The columns that tables have of a conversation: members of its JSON object, named by their paths ("login.error.number"). */
#ifndef TDSCOPE_CONVERSATION_COLUMNS_H
#define TDSCOPE_CONVERSATION_COLUMNS_H

#include <jansson.h>

extern const char *const conversation_columns[];
extern const unsigned conversation_column_count;

/* The member at that path; NULL: it is not known. */
const json_t *conversation_member(const json_t *object, const char *path);

#endif
