/* One analysis from arguments to exit status: what diagnose, conversations and show share. */
#ifndef TDSCOPE_CMD_ANALYSIS_H
#define TDSCOPE_CMD_ANALYSIS_H

#include <tdscope/tdscope.h>

#include "command.h"

/* takes: the options, as FOR_... of options.h. For TDSCOPE_PACKETS the first argument that is no option names a conversation. */
int cmd_analyse(const struct command *command, enum tdscope_view view, unsigned takes, int argc, char **argv);

#endif
