/* tdscope explain: what a cause means; without one, the list of causes. */
#include <string.h>

#include "complaint.h"
#include "options.h"
#include "output.h"

const struct command command_explain = {
    .name = "explain",
    .run = cmd_explain,
    .arguments = "[CAUSE]",
    .help = "Says what a cause means, how it is recognised and what to do.",
    .details =
        "Without CAUSE, lists the causes that there are. With --format json each cause is one object on one line.\n",
    .examples = "  tdscope explain server.login-stalled\n"
                "  tdscope explain\n"
                "  tdscope explain --format json\n",
};

static void list_causes(FILE *to)
{
    const char *cause, *title;
    for (size_t i = 0; (cause = tdscope_cause(i, &title)); i++)
        fprintf(to, "%-30s  %s\n", cause, title);
}

static int refuse_format(const char *format)
{
    complain("explain has no form in %s; --format text and --format json have one", format);
    return EXIT_STATUS_USAGE;
}

/* Each cause in the format of the others: one line each in JSON. */
static int explain_all(const char *format)
{
    struct output output;
    output_open(&output, NULL);
    const char *cause;
    for (size_t i = 0; (cause = tdscope_cause(i, NULL)) && !output.error; i++) {
        if (tdscope_explain(cause, format, NULL, output_write, &output) || output.error)
            continue;
        output_discard(&output);
        return refuse_format(format);
    }
    return output_finish(&output) ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
}

static bool cause_exists(const char *cause)
{
    const char *name;
    for (size_t i = 0; (name = tdscope_cause(i, NULL)); i++)
        if (strcmp(name, cause) == 0)
            return true;
    return false;
}

static int explain(const char *cause, const struct options *options)
{
    struct output output;
    output_open(&output, NULL);
    struct tdscope_style style = {.colour = terminal_takes_colour(options->colour, stdout)};
    if (tdscope_explain(cause, options->format, &style, output_write, &output) || output.error)
        return output_finish(&output) ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
    if (cause_exists(cause)) {
        return refuse_format(options->format);
    }
    complain("%s: there is no such cause; `tdscope explain` lists them", cause);
    return EXIT_STATUS_USAGE;
}

static int run_options(const struct options *options)
{
    if (options->help) {
        options_help(&command_explain, FOR_EXPLAIN, stdout);
        return output_printed() ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
    }
    if (options->evidence_count == 0 && strcmp(options->format, "text") != 0)
        return explain_all(options->format);
    if (options->evidence_count == 0) {
        list_causes(stdout);
        return output_printed() ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
    }
    if (options->evidence_count > 1) {
        complain("explain takes one cause at a time");
        return EXIT_STATUS_USAGE;
    }
    return explain(options->evidence[0].path, options);
}

int cmd_explain(int argc, char **argv)
{
    struct options options;
    int status = EXIT_STATUS_USAGE;
    if (options_parse(&options, &command_explain, FOR_EXPLAIN, argc, argv))
        status = run_options(&options);
    options_close(&options);
    return status;
}
