/* The public interface over the engine. */
#include "tdscope/tdscope.h"

#include <string.h>

#include "analysis.h"
#include "ceilings.h"
#include "error.h"
#include "memory.h"
#include "renderer.h"

struct tdscope {
    struct analysis analysis;
    struct error error;
    bool ran;
};

const char *tdscope_version(void)
{
    return TDSCOPE_VERSION;
}

struct tdscope *tdscope_new(void)
{
    struct tdscope *tdscope = memory_take(sizeof *tdscope);
    analysis_open(&tdscope->analysis);
    return tdscope;
}

void tdscope_free(struct tdscope *tdscope)
{
    if (!tdscope)
        return;
    analysis_close(&tdscope->analysis);
    memory_give(tdscope);
}

bool tdscope_add(struct tdscope *tdscope, const char *path, enum tdscope_role role)
{
    static const enum capture_role roles[] = {[TDSCOPE_ROLE_INFER] = CAPTURE_ROLE_UNKNOWN,
                                              [TDSCOPE_CLIENT] = CAPTURE_ROLE_CLIENT,
                                              [TDSCOPE_SERVER] = CAPTURE_ROLE_SERVER};
    for (uint32_t i = 0; i < tdscope->analysis.item_count; i++) {
        const struct evidence_item *item = &tdscope->analysis.items[i];
        if (strcmp(item->path, path) != 0)
            continue;
        if (strcmp(path, "-") == 0)
            return error_set(&tdscope->error, "standard input (-) was given twice; it can be read only once");
        if (item->role != roles[role])
            return error_set(&tdscope->error, "%s was given as two different sides; name it once", path);
        return true;
    }
    analysis_add(&tdscope->analysis, path, roles[role]);
    return true;
}

bool tdscope_set_memory(struct tdscope *tdscope, uint64_t bytes)
{
    if (bytes < LIMIT_MEMORY_LEAST_MB * 1024ULL * 1024)
        return error_set(&tdscope->error, "at least %d MB of memory are needed", LIMIT_MEMORY_LEAST_MB);
    tdscope->analysis.memory_bytes = bytes;
    return true;
}

void tdscope_set_threads(struct tdscope *tdscope, unsigned threads)
{
    tdscope->analysis.threads = threads;
}

void tdscope_set_server_port(struct tdscope *tdscope, uint16_t port)
{
    tdscope->analysis.casebook.server_port = port;
}

static bool set_duration(int64_t *to_ns, double given_s)
{
    const double day_s = 86400;
    if (!(given_s >= 0 && given_s <= day_s))
        return false;
    if (given_s > 0)
        *to_ns = (int64_t)(given_s * (double)NS_PER_SECOND);
    return true;
}

bool tdscope_set_thresholds(struct tdscope *tdscope, const struct tdscope_thresholds *given)
{
    struct thresholds set = thresholds_usual;
    if (!set_duration(&set.slow_login_ns, given->slow_login_s) ||
        !set_duration(&set.late_login_ns, given->late_login_s) ||
        !set_duration(&set.slow_query_ns, given->slow_query_s) ||
        !set_duration(&set.slow_query_alone_ns, given->slow_query_alone_s) ||
        !set_duration(&set.delay_ns, given->delay_s))
        return error_set(&tdscope->error, "a threshold has to be a time of at most a day");
    if (given->short_frames > 0)
        set.short_packets = given->short_frames;
    tdscope->analysis.thresholds = set;
    return true;
}

void tdscope_set_progress(struct tdscope *tdscope, tdscope_progress *progress, void *context)
{
    tdscope->analysis.progress = progress;
    tdscope->analysis.progress_context = context;
}

bool tdscope_choose(struct tdscope *tdscope, const char *conversation)
{
    tdscope->analysis.watching = packet_watch_choose(&tdscope->analysis.watch, conversation);
    return tdscope->analysis.watching ||
           error_set(&tdscope->error,
                     "%s names no conversation: give its number, or address and port of its client as in "
                     "10.0.0.5:50123 or [2001:db8::5]:50123",
                     conversation);
}

size_t tdscope_chosen(const struct tdscope *tdscope)
{
    return tdscope->analysis.watch.shown.count;
}

enum tdscope_result tdscope_run(struct tdscope *tdscope)
{
    static const enum tdscope_result results[] = {[ANALYSIS_DONE] = TDSCOPE_DONE,
                                                  [ANALYSIS_INCOMPLETE] = TDSCOPE_INCOMPLETE,
                                                  [ANALYSIS_NOTHING] = TDSCOPE_NOTHING};
    tdscope->ran = true;
    return results[analysis_run(&tdscope->analysis)];
}

const char *tdscope_warning(const struct tdscope *tdscope, size_t number)
{
    return number < tdscope->analysis.warning_count ? tdscope->analysis.warnings[number] : NULL;
}

const char *tdscope_evidence(const struct tdscope *tdscope, size_t number)
{
    return number < tdscope->analysis.paths.count ? tdscope->analysis.paths.names[number].path : NULL;
}

const char *tdscope_error(const struct tdscope *tdscope)
{
    return tdscope->error.text;
}

bool tdscope_fault_found(const struct tdscope *tdscope)
{
    const struct judge *judge = &tdscope->analysis.judge;
    for (uint32_t i = 0; tdscope->ran && i < judge->finding_count; i++)
        if (judge->findings[i].severity == SEVERITY_FAULT)
            return true;
    return false;
}

/* How it renders that view; NULL: it has none. */
static void (*rendering_of(const struct renderer *renderer, enum tdscope_view view))(const struct report *,
                                                                                     struct sink *)
{
    switch (view) {
    case TDSCOPE_DIAGNOSIS:
        return renderer->diagnosis;
    case TDSCOPE_CONVERSATIONS:
        return renderer->conversations;
    case TDSCOPE_PACKETS:
        return renderer->packets;
    }
    return NULL;
}

bool tdscope_format_is_binary(const char *format)
{
    const struct renderer *renderer = renderer_by_name(format);
    return renderer && renderer->binary;
}

bool tdscope_format_has(const char *format, enum tdscope_view view)
{
    const struct renderer *renderer = renderer_by_name(format);
    return renderer && rendering_of(renderer, view);
}

bool tdscope_render(struct tdscope *tdscope, enum tdscope_view view, const char *format,
                    const struct tdscope_style *style, tdscope_write *write, void *context)
{
    if (!tdscope->ran)
        return error_set(&tdscope->error, "tdscope_run() has to come before tdscope_render()");
    const struct renderer *renderer = renderer_by_name(format);
    if (!renderer)
        return error_set(&tdscope->error, "there is no format \"%s\"", format);
    if (!rendering_of(renderer, view))
        return error_set(&tdscope->error, "the format \"%s\" does not have that view", format);
    struct report report = {&tdscope->analysis.casebook, &tdscope->analysis.judge, tdscope_version(),
                            &tdscope->analysis.watch.shown};
    struct sink sink = {.write = write,
                        .context = context,
                        .colour = style && style->colour,
                        .utc_offset_s = style ? style->utc_offset_s : 0,
                        .columns = style ? style->columns : 0,
                        .marks = style && style->marks};
    rendering_of(renderer, view)(&report, &sink);
    return !sink.failed || error_set(&tdscope->error, "the report could not be written");
}

const char *tdscope_format(size_t number)
{
    return number < renderer_count ? renderers[number]->name : NULL;
}

bool tdscope_explain(const char *cause, const char *format, const struct tdscope_style *style, tdscope_write *write,
                     void *context)
{
    const struct detector *detector = detector_by_cause(cause);
    const struct renderer *renderer = renderer_by_name(format);
    if (!detector || !renderer || !renderer->explanation)
        return false;
    struct sink sink = {.write = write, .context = context, .colour = style && style->colour};
    renderer->explanation(detector, &sink);
    return !sink.failed;
}

const char *tdscope_cause(size_t number, const char **title)
{
    if (number >= detector_count)
        return NULL;
    if (title)
        *title = detectors[number]->title;
    return detectors[number]->cause;
}
