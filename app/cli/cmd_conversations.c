/* tdscope conversations: one row per conversation. */
#include "cmd_analysis.h"
#include "options.h"

const struct command command_conversations = {
    .name = "conversations",
    .run = cmd_conversations,
    .arguments = "[options] CAPTURE...",
    .help = "Lists every TCP conversation with what is known of it, one line each.",
    .details =
        "Columns are separated by blanks and never hold one; - is what is not known. With --format json each line\n"
        "is one object, the same as in the report of diagnose.\n"
        "Marks: S SYN, PL and PR PRELOGIN and its answer, CH SH KE CE TLS hellos, key exchange and end of the\n"
        "handshake, AD encrypted login, NC NR NTLM challenge and response, SS other authentication, LA login\n"
        "accepted, ER login refused.\n",
    .examples = "  tdscope conversations trace.pcapng\n"
                "  tdscope conversations trace.pcapng | grep server.login-stalled\n"
                "  tdscope conversations --format json trace.pcapng\n",
};

int cmd_conversations(int argc, char **argv)
{
    return cmd_analyse(&command_conversations, TDSCOPE_CONVERSATIONS, FOR_ANALYSIS | FOR_CONVERSATIONS, argc, argv);
}
