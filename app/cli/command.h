/* Commands of tdscope: one row each in main.c. */
#ifndef TDSCOPE_COMMAND_H
#define TDSCOPE_COMMAND_H

/* The exit statuses that other programs rely on. */
enum exit_status {
    EXIT_STATUS_DONE = 0,
    EXIT_STATUS_FAULT = 1, /* only with --exit-code */
    EXIT_STATUS_USAGE = 2,
    EXIT_STATUS_INCOMPLETE = 3, /* some evidence could not be read */
    EXIT_STATUS_NOTHING = 4     /* nothing could be analysed, or the report could not be written */
};

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the first argument after the command; returns the exit status */
    const char *arguments;             /* as usage shows them */
    const char *help;                  /* one sentence */
    const char *details;               /* what its own help says besides: lines, or empty */
    const char *examples;              /* lines */
};

int cmd_diagnose(int argc, char **argv);
int cmd_conversations(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_show(int argc, char **argv);

extern const struct command command_diagnose, command_conversations, command_show, command_explain, command_collect;

#endif
