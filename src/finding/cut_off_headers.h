/* What headers alone leave open, where more of each packet was not captured (unread_wait.h). */
#ifndef TDSCOPE_CUT_OFF_HEADERS_H
#define TDSCOPE_CUT_OFF_HEADERS_H

#include "detector.h"

/* The connection may have failed, and what was said on it would tell. On SQL Server's ports, and on others that nobody knows. */
bool cut_off_headers_judge(const struct conversation *conversation, const struct surroundings *surroundings,
                           struct judgement *judgement);

#endif
