/* tdscope show: one conversation, packet by packet. */
#include "cmd_analysis.h"
#include "options.h"

const struct command command_show = {
    .name = "show",
    .run = cmd_show,
    .arguments = "[options] CONVERSATION CAPTURE...",
    .help = "Shows one conversation packet by packet, and its login step by step.",
    .details =
        "CONVERSATION: its number as `tdscope conversations` lists it for the same captures, or address and port of\n"
        "its client. Given so, it is shown as each of the captures has it, one after the other. Of a long\n"
        "conversation the first and the last 2000 packets are shown.\n",
    .examples = "  tdscope show 7 trace.pcapng\n"
                "  tdscope show 10.0.0.5:50123 --client laptop.pcapng --server dbhost.pcapng\n"
                "  tdscope show --format json '[2001:db8::5]:50123' trace.pcapng\n",
};

int cmd_show(int argc, char **argv)
{
    return cmd_analyse(&command_show, TDSCOPE_PACKETS, FOR_ANALYSIS, argc, argv);
}
