/* The command line of tdscope: finds the command and runs it. */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <tdscope/tdscope.h>

#include "command.h"
#include "complaint.h"
#include "heap.h"
#include "output.h"

static const struct command *const commands[] = {&command_diagnose, &command_conversations, &command_show,
                                                 &command_explain, &command_collect};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

/* Promised by the contract, so that no evidence of such a name is looked for. */
static const char *const later_commands[] = {"serve"};
enum { LATER_COUNT = sizeof later_commands / sizeof *later_commands };

static void print_help(FILE *to)
{
    fputs("usage: tdscope COMMAND [options] ...\n"
          "       tdscope EVIDENCE...            the same as tdscope diagnose EVIDENCE...\n\n"
          "tdscope reads packet captures of SQL Server connections and says whose fault a broken connection is.\n\n"
          "commands:\n",
          to);
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-14s %s\n", commands[i]->name, commands[i]->help);
    fputs("\ntdscope COMMAND --help lists the options of a command. tdscope --version prints the version.\n\n"
          "examples:\n"
          "  tdscope trace.pcapng\n"
          "  tdscope --client laptop.pcapng --server dbhost.pcapng\n"
          "  tdscope diagnose --format json -o report.json traces/\n"
          "  tdscope conversations trace.pcapng\n"
          "  tdscope show 7 trace.pcapng\n"
          "  tdscope explain server.login-stalled\n"
          "  tdscope collect --for windows\n\n"
          "exit status:\n"
          "  0  the analysis was done\n"
          "  1  only with --exit-code: a fault was found, though its culprit may be unknown\n"
          "  2  wrong usage\n"
          "  3  some evidence could not be read; the rest was analysed\n"
          "  4  nothing could be analysed, or the report could not be written\n",
          to);
}

static int run_command(int argc, char **argv)
{
    const char *first = argv[1];
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(first, commands[i]->name) == 0)
            return commands[i]->run(argc - 2, argv + 2);
    for (unsigned i = 0; i < LATER_COUNT; i++) {
        if (strcmp(first, later_commands[i]) == 0) {
            complain("the command %s is not built yet; `tdscope --help` lists those that are", first);
            return EXIT_STATUS_USAGE;
        }
    }
    return cmd_diagnose(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    /* A reader that goes away (`| head`) is seen as a refused write, not as a signal. */
    signal(SIGPIPE, SIG_IGN);
    heap_prepare();
    if (argc < 2) {
        print_help(stderr);
        return EXIT_STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return output_printed() ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("tdscope %s\n", tdscope_version());
        return output_printed() ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
    }
    return run_command(argc, argv);
}
