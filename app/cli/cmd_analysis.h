/* One analysis from arguments to exit status: what diagnose and conversations share. */
#ifndef TDSCOPE_CMD_ANALYSIS_H
#define TDSCOPE_CMD_ANALYSIS_H

#include <tdscope/tdscope.h>

#include "command.h"

int cmd_analyse(const struct command *command, enum tdscope_view view, int argc, char **argv);

#endif
