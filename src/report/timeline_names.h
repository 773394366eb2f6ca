/* Words for the steps of a login. */
#ifndef TDSCOPE_TIMELINE_NAMES_H
#define TDSCOPE_TIMELINE_NAMES_H

#include "login_timeline.h"

const char *timeline_step_name(enum timeline_step step); /* of JSON: "prelogin-answer" */
const char *timeline_step_words(
    enum timeline_step step); /* "the server answers PRELOGIN"; for TIMELINE_CLOSED and an alert see who */
const char *waited_for_name(enum waited_for waited_for); /* "client" */

enum { MARKS_TEXT_SIZE = 64 };

/* The marks that support staff know from SQL Network Analyzer: S PL PR CH SH KE CE AD NC NR SS LA ER, in the order in which they
 * came, separated by commas; empty when none was seen. Returns text. */
const char *timeline_marks(const struct conversation *conversation, char text[static MARKS_TEXT_SIZE]);

#endif
