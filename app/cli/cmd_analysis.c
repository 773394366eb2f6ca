/* Runs an analysis over the public interface. */
#define _POSIX_C_SOURCE 200809L

#include "cmd_analysis.h"

#include <string.h>
#include <unistd.h>

#include "complaint.h"
#include "options.h"
#include "output.h"
#include "terminal.h"

static bool add_evidence(struct tdscope *tdscope, const struct options *options)
{
    for (size_t i = 0; i < options->evidence_count; i++) {
        if (!tdscope_add(tdscope, options->evidence[i].path, options->evidence[i].role)) {
            complain("%s", tdscope_error(tdscope));
            return false;
        }
    }
    if (options->server_port)
        tdscope_set_server_port(tdscope, options->server_port);
    if (options->memory_bytes)
        tdscope_set_memory(tdscope, options->memory_bytes);
    tdscope_set_threads(tdscope, options->threads);
    if (tdscope_set_thresholds(tdscope, &options->thresholds))
        return true;
    complain("%s", tdscope_error(tdscope));
    return false;
}

static enum tdscope_result read_evidence(struct tdscope *tdscope, const struct options *options)
{
    struct progress progress;
    progress_open(&progress, options->quiet ? WHEN_NEVER : options->progress);
    if (progress.shown)
        tdscope_set_progress(tdscope, progress_show, &progress);
    enum tdscope_result result = tdscope_run(tdscope);
    progress_close(&progress);
    /* When there is nothing to report, the warnings are the answer. */
    const char *warning;
    for (size_t i = 0; (!options->quiet || result == TDSCOPE_NOTHING) && (warning = tdscope_warning(tdscope, i)); i++)
        complain("%s", warning);
    return result;
}

static bool spares_arguments(const struct options *options)
{
    for (size_t i = 0; i < options->evidence_count; i++)
        if (!output_spares(options->output, options->evidence[i].path))
            return false;
    return true;
}

/* What folders and patterns stood for is known only now. */
static bool spares_evidence(const struct tdscope *tdscope, const struct options *options)
{
    const char *evidence;
    for (size_t i = 0; (evidence = tdscope_evidence(tdscope, i)); i++)
        if (!output_spares(options->output, evidence))
            return false;
    return true;
}

static bool write_report(struct tdscope *tdscope, enum tdscope_view view, const struct options *options)
{
    struct output output;
    if (!output_open(&output, options->output))
        return false;
    struct tdscope_style style = {
        .colour = terminal_takes_colour(options->colour, output.stream),
        .utc_offset_s = options->utc_offset_s,
        .columns = terminal_columns(output.stream),
        .marks = options->marks,
    };
    if (!tdscope_render(tdscope, view, options->format, &style, output_write, &output) && !output.error) {
        complain("%s", tdscope_error(tdscope));
        output_discard(&output);
        return false;
    }
    return output_finish(&output);
}

static bool choose(struct tdscope *tdscope, const char *conversation)
{
    if (!conversation || tdscope_choose(tdscope, conversation))
        return true;
    complain("%s", tdscope_error(tdscope));
    return false;
}

static int run_with(struct tdscope *tdscope, enum tdscope_view view, const struct options *options,
                    const char *conversation)
{
    if (!choose(tdscope, conversation) || !add_evidence(tdscope, options) || !spares_arguments(options) ||
        !output_check(options->output))
        return EXIT_STATUS_USAGE;
    enum tdscope_result result = read_evidence(tdscope, options);
    if (!spares_evidence(tdscope, options))
        return EXIT_STATUS_USAGE;
    if (result != TDSCOPE_NOTHING && conversation && tdscope_chosen(tdscope) == 0) {
        complain("there is no conversation %s in these captures; `tdscope conversations` lists those that "
                 "there are, with their numbers and clients",
                 conversation);
        return EXIT_STATUS_USAGE;
    }
    if (result == TDSCOPE_NOTHING || !write_report(tdscope, view, options))
        return EXIT_STATUS_NOTHING;
    if (options->exit_code && tdscope_fault_found(tdscope))
        return EXIT_STATUS_FAULT;
    return result == TDSCOPE_INCOMPLETE ? EXIT_STATUS_INCOMPLETE : EXIT_STATUS_DONE;
}

/* Takes the first argument away from the evidence. NULL: there is none. */
static const char *take_conversation(struct options *options)
{
    if (options->evidence_count == 0 || options->evidence[0].role != TDSCOPE_ROLE_INFER)
        return NULL;
    const char *conversation = options->evidence[0].path;
    options->evidence_count--;
    memmove(options->evidence, options->evidence + 1, options->evidence_count * sizeof *options->evidence);
    return conversation;
}

static int run_options(const struct command *command, enum tdscope_view view, unsigned takes, struct options *options)
{
    if (options->help) {
        options_help(command, takes, stdout);
        return output_printed() ? EXIT_STATUS_DONE : EXIT_STATUS_NOTHING;
    }
    const char *conversation = view == TDSCOPE_PACKETS ? take_conversation(options) : NULL;
    if (view == TDSCOPE_PACKETS && !conversation) {
        complain("which conversation? usage: tdscope %s %s", command->name, command->arguments);
        return EXIT_STATUS_USAGE;
    }
    if (options->evidence_count == 0) {
        complain("no evidence given: name at least one capture, or - for standard input; "
                 "`tdscope %s --help` shows examples",
                 command->name);
        return EXIT_STATUS_USAGE;
    }
    if (!tdscope_format_has(options->format, view)) {
        complain("%s has no form in %s; --format text and --format json have one", command->name, options->format);
        return EXIT_STATUS_USAGE;
    }
    if (tdscope_format_is_binary(options->format) && !options->output && isatty(STDOUT_FILENO)) {
        complain("%s is nothing for a terminal: give a file to write, -o FILE", options->format);
        return EXIT_STATUS_USAGE;
    }
    struct tdscope *tdscope = tdscope_new();
    int status = run_with(tdscope, view, options, conversation);
    tdscope_free(tdscope);
    return status;
}

int cmd_analyse(const struct command *command, enum tdscope_view view, unsigned takes, int argc, char **argv)
{
    struct options options;
    int status = EXIT_STATUS_USAGE;
    if (options_parse(&options, command, takes, argc, argv))
        status = run_options(command, view, takes, &options);
    options_close(&options);
    return status;
}
