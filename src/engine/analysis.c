/*
 * Runs the line: expand what was given, open captures, read each capture point through packets, flows and protocols
 * into the casebook, then judge.
 */
#include "analysis.h"

#include <stdlib.h>
#include <string.h>

#include "capture_copy.h"
#include "ceilings.h"
#include "clock_notes.h"
#include "evidence_file.h"
#include "first_reading.h"
#include "machine_side.h"
#include "memory.h"
#include "os_files.h"
#include "os_memory.h"
#include "os_thread.h"
#include "pairing.h"
#include "second_reading.h"
#include "source_zones.h"
#include "trace_drops.h"
#include "unseen_holes.h"

struct run {
    struct analysis *analysis;
    enum capture_role *roles; /* of each path */
    struct capture_source *sources;
    uint32_t source_count;
    bool incomplete;
    uint64_t all_bytes; /* 0: not known */
};

unsigned analysis_threads(const struct analysis *analysis)
{
    if (analysis->threads)
        return analysis->threads;
    unsigned processors = os_processors();
    return processors < LIMIT_THREADS_UNASKED ? processors : LIMIT_THREADS_UNASKED;
}

/* File names are evidence, too: a line end or an escape in one must not reach the terminal. */
static void warn(struct run *run, const char *sentence)
{
    struct analysis *a = run->analysis;
    struct text safe = {0};
    text_add_untrusted(&safe, (struct span){(const uint8_t *)sentence, strlen(sentence)});
    a->warnings = memory_grow(a->warnings, (size_t)a->warning_count + 1, sizeof *a->warnings);
    a->warnings[a->warning_count++] = memory_copy_text(text_string(&safe));
    text_close(&safe);
    notes_add(&a->casebook.unread, a->warnings[a->warning_count - 1], "%s", sentence);
    run->incomplete = true;
}

void analysis_open(struct analysis *analysis)
{
    memory_tell_of_blocks(os_expect_use);
    *analysis = (struct analysis){.thresholds = thresholds_usual};
    casebook_open(&analysis->casebook);
}

void analysis_add(struct analysis *analysis, const char *path, enum capture_role role)
{
    analysis->items = memory_grow(analysis->items, (size_t)analysis->item_count + 1, sizeof *analysis->items);
    analysis->items[analysis->item_count++] = (struct evidence_item){memory_copy_text(path), role};
}

void analysis_close(struct analysis *analysis)
{
    if (analysis->judged)
        judge_close(&analysis->judge);
    packet_watch_close(&analysis->watch);
    set_clocks_close(&analysis->set_clocks);
    spooled_pipes_close(&analysis->pipes);
    casebook_close(&analysis->casebook);
    for (uint32_t i = 0; i < analysis->item_count; i++)
        memory_give(analysis->items[i].path);
    memory_give(analysis->items);
    os_files_close(&analysis->paths);
    for (uint32_t i = 0; i < analysis->warning_count; i++)
        memory_give(analysis->warnings[i]);
    memory_give(analysis->warnings);
}

static void expand_items(struct run *run)
{
    struct notes notes = {0};
    for (uint32_t i = 0; i < run->analysis->item_count; i++) {
        const struct evidence_item *item = &run->analysis->items[i];
        struct error error;
        size_t before = run->analysis->paths.count;
        if (!os_files_expand(&run->analysis->paths, item->path, &notes, &error)) {
            warn(run, error.text);
            continue;
        }
        run->roles = memory_grow(run->roles, run->analysis->paths.count, sizeof *run->roles);
        for (size_t j = before; j < run->analysis->paths.count; j++)
            run->roles[j] = item->role;
    }
    for (uint32_t i = 0; i < notes.count; i++)
        warn(run, notes.list[i].text);
    notes_close(&notes);
    if (run->analysis->paths.count > LIMIT_FILES) {
        warn(run, "more than 100000 files were given; the rest is not read. Give fewer, or narrower patterns.");
        while (run->analysis->paths.count > LIMIT_FILES)
            os_files_drop_last(&run->analysis->paths);
    }
}

static struct capture_source *add_source(struct run *run, const char *path, enum capture_role role)
{
    struct capture_source *source = &run->sources[run->source_count++];
    *source = (struct capture_source){.role = role, .role_given = role != CAPTURE_ROLE_UNKNOWN};
    capture_chain_open(&source->chain);
    capture_series_open(&source->series, path);
    return source;
}

static void note_copy(struct capture_facts *original, const char *path)
{
    struct text name = {0};
    text_add_untrusted(&name, (struct span){(const uint8_t *)path, strlen(path)});
    notes_add(&original->notes, "copy", "%s holds the same packets at the same times; such a copy is left out",
              text_string(&name));
    text_close(&name);
}

/* Counted twice, its connections would be twice as many; taken for the other end's, it would show that nothing is lost. */
static bool is_copy(struct run *run, const struct capture_source *source, const struct capture_facts *facts,
                    const char *path)
{
    struct capture_facts *captures = run->analysis->casebook.captures;
    int64_t first_us = capture_chain_first_ns(&source->chain) / NS_PER_US;
    for (uint32_t i = 0; i + 1 < run->source_count; i++) {
        if (facts->only_once || captures[i].only_once ||
            capture_chain_first_ns(&run->sources[i].chain) / NS_PER_US != first_us ||
            !capture_copy_of(facts->spool ? facts->spool : path, capture_facts_path(&captures[i])))
            continue;
        note_copy(&captures[i], path);
        return true;
    }
    return false;
}

static void close_source(struct capture_source *source)
{
    capture_chain_close(&source->chain);
    capture_series_close(&source->series);
}

static void drop_source(struct run *run, struct capture_facts *facts)
{
    close_source(&run->sources[--run->source_count]);
    notes_close(&facts->notes);
    *facts = (struct capture_facts){0};
}

/* What of it is missing before it is read. */
static void note_missing(struct capture_facts *facts, const char *reason)
{
    if (!reason || !reason[0])
        return;
    facts->incomplete = true;
    notes_add(&facts->notes, CAPTURE_BROKEN_NOTE, "%s", reason);
}

/* The sentence may begin with the path that was opened. */
static void warn_of_capture(struct run *run, const char *path, const char *opened, const struct error *error)
{
    size_t size = strlen(opened);
    struct text sentence = {0};
    bool named = strncmp(error->text, opened, size) == 0;
    text_format(&sentence, "%s%s", named ? path : "", error->text + (named ? size : 0));
    warn(run, text_string(&sentence));
    text_close(&sentence);
}

static void warn_of_problem(struct run *run, const struct os_file_name *name)
{
    struct text sentence = {0};
    text_format(&sentence, "%s: %s", name->path, name->problem);
    warn(run, text_string(&sentence));
    text_close(&sentence);
}

static void warn_of_source(struct run *run, const struct source_facts *source)
{
    for (uint32_t i = 0; i < source->notes.count; i++) {
        struct text sentence = {0};
        text_format(&sentence, "%s: %s", source->file, source->notes.list[i].text);
        if (strcmp(source->notes.list[i].kind, CAPTURE_BROKEN_NOTE) == 0)
            warn(run, text_string(&sentence));
        text_close(&sentence);
    }
}

/* A source is named as it was given. */
static bool read_evidence(struct run *run, const struct os_file_name *name, const char *opened, enum capture_role role)
{
    struct evidence *evidence = &run->analysis->casebook.evidence;
    if (!evidence_file_read(evidence, opened, role))
        return false;
    struct source_facts *source = &evidence->sources[evidence->source_count - 1];
    memory_give(source->file);
    source->file = memory_copy_text(name->path);
    if (name->problem)
        notes_add(&source->notes, CAPTURE_BROKEN_NOTE, "%s", name->problem);
    warn_of_source(run, source);
    return true;
}

static void keep_capture(struct run *run, struct capture_facts *facts, const struct os_file_name *name,
                         const struct capture_source *source, const struct spooled_pipe *pipe)
{
    facts->file = memory_copy_text(name->path);
    facts->role = source->role;
    facts->role_given = source->role_given;
    note_missing(facts, name->problem);
    note_missing(facts, pipe ? pipe->cut.text : NULL);
    run->analysis->casebook.capture_count++;
}

static void open_capture(struct run *run, const struct os_file_name *name, enum capture_role role)
{
    struct casebook *casebook = &run->analysis->casebook;
    uint32_t index = casebook->capture_count;
    struct capture_facts *facts = &casebook->captures[index];
    struct capture_source *source = add_source(run, name->path, role);
    struct error error = {{0}};
    struct os_file *source_file = NULL;
    const char *opened = name->from ? name->from : name->path;
    const struct spooled_pipe *pipe = run->analysis->paths.count > 1
                                          ? spooled_pipes_need(&run->analysis->pipes, opened)
                                          : spooled_pipes_need_alone(&run->analysis->pipes, opened, &source_file);
    opened = pipe ? pipe->spool.path : opened;
    enum capture_opening opening = source_file
                                       ? capture_chain_add_over(&source->chain, source_file, index, facts, &error)
                                       : capture_chain_add(&source->chain, opened, index, facts, &error);
    facts->spool = opened != name->path ? opened : NULL;
    if (opening == CAPTURE_OPENED && is_copy(run, source, facts, name->path)) {
        drop_source(run, facts);
        return;
    }
    if (opening == CAPTURE_OPENED) {
        keep_capture(run, facts, name, source, pipe);
        return;
    }
    drop_source(run, facts);
    if (opening != CAPTURE_NOT_A_CAPTURE || !read_evidence(run, name, opened, role))
        warn_of_capture(run, name->path, opened, &error);
}

/* What is in an archive stands beside it, and may be out of reach. */
static void open_named(struct run *run, const struct os_file_name *name, enum capture_role role)
{
    if (!name->is_archive && (name->from || !name->problem))
        open_capture(run, name, role);
    else if (name->problem)
        warn_of_problem(run, name);
}

static void open_captures(struct run *run)
{
    struct casebook *casebook = &run->analysis->casebook;
    casebook->captures = memory_take_array(run->analysis->paths.count, sizeof *casebook->captures);
    run->sources = memory_take_array(run->analysis->paths.count, sizeof *run->sources);
    for (size_t i = 0; i < run->analysis->paths.count; i++)
        open_named(run, &run->analysis->paths.names[i], run->roles[i]);
    bool known = true;
    for (uint32_t i = 0; i < run->source_count; i++) {
        uint64_t consumed, total;
        capture_chain_progress(&run->sources[i].chain, &consumed, &total);
        known = known && total != 0;
        run->all_bytes += total;
    }
    if (!known)
        run->all_bytes = 0;
}

static bool costs_packets(const struct note *note)
{
    return strcmp(note->kind, CAPTURE_BROKEN_NOTE) == 0 || strcmp(note->kind, CAPTURE_LINK_TYPE_NOTE) == 0;
}

static void warn_of_file(struct run *run, const struct capture_facts *facts, const struct note *note)
{
    struct text sentence = {0};
    text_format(&sentence, "%s: %s", facts->file, note->text);
    if (note->count > 1)
        text_format(&sentence, " (%llu of them)", (unsigned long long)note->count);
    warn(run, text_string(&sentence));
    text_close(&sentence);
}

static void note_tick(struct capture_facts *facts, int64_t tick_ns)
{
    if (tick_ns > 0)
        notes_add(
            &facts->notes, "coarse stamps",
            "the times of its packets are told in steps of %g s: what is shorter is not known, and delays are told "
            "only where they are longer than that",
            (double)tick_ns / (double)NS_PER_SECOND);
}

static void conclude_captures(struct run *run)
{
    struct casebook *casebook = &run->analysis->casebook;
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        struct capture_facts *facts = &casebook->captures[i];
        facts->role = casebook->points[facts->point].role;
        note_tick(facts, stamp_tick_ns(&casebook->points[facts->point].tick));
        run->incomplete = run->incomplete || facts->incomplete || facts->failed;
        for (uint32_t j = 0; j < facts->notes.count; j++)
            if (costs_packets(&facts->notes.list[j]))
                warn_of_file(run, facts, &facts->notes.list[j]);
    }
}

/* The first of the conversations to be shown that several captures have; the view that stands for all. 0: none. */
static uint32_t observed_connection(struct analysis *analysis)
{
    struct shown_packets *shown = &analysis->watch.shown;
    for (unsigned i = 0; i < shown->count && shown->crossings.id == 0; i++) {
        const struct conversation *c = casebook_conversation(&analysis->casebook, shown->conversations[i].id - 1);
        if (c->twin)
            shown->crossings.id = c->secondary ? c->twin : c->id;
    }
    return shown->crossings.id;
}

/* Numbers are given in the order of reading, which is the same every time: so views that nobody knew to belong to the one asked
 * for are found in another run of the line. Pipes cannot be read again. */
static bool needs_other_views(struct analysis *analysis)
{
    if (!analysis->watching || analysis->watch.other_count > 0)
        return false;
    for (uint32_t i = 0; i < analysis->casebook.capture_count; i++)
        if (analysis->casebook.captures[i].only_once)
            return false;
    return packet_watch_choose_others(&analysis->watch, &analysis->casebook);
}

static void forget_results(struct analysis *analysis)
{
    if (analysis->judged)
        judge_close(&analysis->judge);
    analysis->judged = false;
    packet_watch_empty(&analysis->watch);
    uint16_t server_port = analysis->casebook.server_port;
    casebook_close(&analysis->casebook);
    casebook_open(&analysis->casebook);
    analysis->casebook.server_port = server_port;
    os_files_clear(&analysis->paths);
    for (uint32_t i = 0; i < analysis->warning_count; i++)
        memory_give(analysis->warnings[i]);
    memory_give(analysis->warnings);
    analysis->warnings = NULL;
    analysis->warning_count = 0;
}

static void open_run(struct run *run, struct analysis *analysis)
{
    *run = (struct run){.analysis = analysis};
    expand_items(run);
    open_captures(run);
    first_reading_run(analysis, run->sources, run->source_count, run->all_bytes);
    unseen_holes_find(&analysis->casebook);
    conclude_captures(run);
    pairing_run(&analysis->casebook);
}

static void close_run(struct run *run)
{
    for (uint32_t i = 0; i < run->source_count; i++)
        close_source(&run->sources[i]);
    memory_give(run->sources);
    memory_give(run->roles);
}

static void read_again(struct analysis *analysis)
{
    uint32_t observed = analysis->watching ? observed_connection(analysis) : 0;
    second_reading_run(&analysis->casebook, &(struct second_reading_options){
                                                .set_clocks = &analysis->set_clocks,
                                                .ahead = analysis_threads(analysis) > 1,
                                                .progress = analysis->progress,
                                                .progress_context = analysis->progress_context,
                                                .observe = observed ? packet_crossings_see : NULL,
                                                .forget = packet_crossings_forget,
                                                .observe_context = &analysis->watch.crossings,
                                                .observed = observed,
                                            });
    set_clocks_note(&analysis->set_clocks, &analysis->casebook);
    clock_notes_add(&analysis->casebook);
    source_zones_find(&analysis->casebook);
}

static enum analysis_result run_line(struct analysis *analysis)
{
    struct run run;
    open_run(&run, analysis);
    if (analysis->set_clocks.count == 0 && set_clocks_find(&analysis->set_clocks, &analysis->casebook)) {
        close_run(&run);
        forget_results(analysis);
        open_run(&run, analysis);
    }
    read_again(analysis);
    trace_drops_read(&analysis->casebook);
    close_run(&run);
    casebook_join(&analysis->casebook);
    machine_side_place(&analysis->casebook);
    judge_open(&analysis->judge, &analysis->casebook, &analysis->thresholds);
    analysis->judged = true;
    packet_watch_settle(&analysis->watch, &analysis->casebook);
    if (analysis->casebook.capture_count == 0 && analysis->casebook.evidence.source_count == 0)
        return ANALYSIS_NOTHING;
    return run.incomplete ? ANALYSIS_INCOMPLETE : ANALYSIS_DONE;
}

enum analysis_result analysis_run(struct analysis *analysis)
{
    enum analysis_result result = run_line(analysis);
    if (!needs_other_views(analysis))
        return result;
    forget_results(analysis);
    return run_line(analysis);
}
