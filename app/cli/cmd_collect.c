/* tdscope collect: the commands that collect the evidence. */
#include <string.h>

#include "collect_texts.h"
#include "complaint.h"
#include "options.h"
#include "output.h"

const struct command command_collect = {
    .name = "collect",
    .run = cmd_collect,
    .arguments = "[--for SYSTEM]",
    .help = "Prints the commands that collect the evidence, to be run on both machines.",
    .details = "Nothing is run: read them, and paste what fits. Without --for they are those of the system that "
               "tdscope runs on.\n",
    .examples = "  tdscope collect\n"
                "  tdscope collect --for windows > collect.ps1\n"
                "  tdscope collect --for linux\n",
};

static const char *text_for(const char *system)
{
    if (!system)
#if defined(_WIN32)
        return collect_windows;
#elif defined(__APPLE__)
        return collect_macos;
#else
        return collect_linux;
#endif
    if (strcmp(system, "windows") == 0)
        return collect_windows;
    return strcmp(system, "macos") == 0 ? collect_macos : collect_linux;
}

static int run_options(const struct options *options)
{
    if (options->evidence_count > 0) {
        complain("collect takes no evidence; `tdscope diagnose` reads it");
        return EXIT_STATUS_USAGE;
    }
    if (options->help)
        options_help(&command_collect, FOR_COLLECT, stdout);
    else
        fputs(text_for(options->system), stdout);
    return output_printed() ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
}

int cmd_collect(int argc, char **argv)
{
    struct options options;
    int status = EXIT_STATUS_USAGE;
    if (options_parse(&options, &command_collect, FOR_COLLECT, argc, argv))
        status = run_options(&options);
    options_close(&options);
    return status;
}
