/* Counts sockets: each list is walked twice, and nothing is sorted but the other ends of Linux's. */
#include "socket_survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "port_use.h"
#include "process_names.h"
#include "signs.h"

enum { WINDOWS_FIRST = 49152, WINDOWS_LAST = 65535, LINUX_FIRST = 32768, LINUX_LAST = 60999 };

/* Sockets of one list, by the other end. */
struct end_port {
    struct endpoint remote;
    uint16_t local;
};

static bool is_sql(const struct survey *survey, const struct endpoint *end)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    if (end->port == SQL_SERVER_PORT || (casebook->server_port != 0 && end->port == casebook->server_port))
        return true;
    for (uint32_t point = 0; end->address.version != 0 && point < casebook->point_count; point++)
        if (surroundings_knows_server(survey->surroundings, point, end))
            return true;
    return false;
}

/* As set on the machine, when a source of the same side tells; else what its system usually has. */
static void find_range(const struct casebook *casebook, struct socket_use *use)
{
    const struct source_facts *source = &casebook->evidence.sources[use->source];
    bool linux_ports = source->system == SYSTEM_LINUX;
    int64_t first = 0, count = 0;
    use->range_first = linux_ports ? LINUX_FIRST : WINDOWS_FIRST;
    use->range_last = linux_ports ? LINUX_LAST : WINDOWS_LAST;
    for (uint32_t i = 0; i < casebook->evidence.settings.in_use; i++) {
        const struct setting_record *setting = evidence_setting(&casebook->evidence, i);
        if (evidence_source_of(&casebook->evidence, &setting->at)->role != source->role)
            continue;
        first = setting->setting == SETTING_PORTS_FIRST ? setting->value : first;
        count = setting->setting == SETTING_PORTS_COUNT ? setting->value : count;
    }
    if (first < 1 || count < 1 || first + count > PORTS)
        return;
    use->range_first = (uint32_t)first;
    use->range_last = (uint32_t)(first + count - 1);
}

static int compare_ends(const void *left, const void *right)
{
    const struct end_port *a = left, *b = right;
    int order = memcmp(&a->remote.address, &b->remote.address, sizeof a->remote.address);
    if (order == 0)
        order = (a->remote.port > b->remote.port) - (a->remote.port < b->remote.port);
    return order != 0 ? order : (a->local > b->local) - (a->local < b->local);
}

/* Linux gives a port to several connections at once, if their other ends differ. */
static uint32_t most_of_one_end(struct end_port *list, uint32_t count)
{
    uint32_t most = 0, run = 0;
    qsort(list, count, sizeof *list, compare_ends);
    for (uint32_t i = 0; i < count; i++) {
        bool same_end = i > 0 && endpoint_equal(&list[i].remote, &list[i - 1].remote);
        run = !same_end ? 1 : run + (list[i].local != list[i - 1].local);
        most = run > most ? run : most;
    }
    return most;
}

static int compare_processes(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Of a sorted list, the one that occurs most often. */
static struct process_share share_of(const uint32_t *processes, uint32_t count, const struct process_names *names)
{
    struct process_share most = {0};
    for (uint32_t i = 0, run = 0; i < count; i++) {
        run = i > 0 && processes[i] == processes[i - 1] ? run + 1 : 1;
        if (run > most.sockets)
            most = (struct process_share){.process = processes[i], .sockets = run};
        else if (run == most.sockets)
            most.process = 0;
    }
    most.program = most.process != 0 ? process_names_of(names, most.process) : NULL;
    return most;
}

static bool is_any(const struct survey *survey, const struct socket_use *use, const struct socket_record *row)
{
    (void)survey, (void)use, (void)row;
    return true;
}

static bool is_in_range(const struct survey *survey, const struct socket_use *use, const struct socket_record *row)
{
    (void)survey;
    return row->state != SOCKET_LISTEN && row->local.port >= use->range_first && row->local.port <= use->range_last;
}

static bool is_established_to_sql(const struct survey *survey, const struct socket_use *use,
                                  const struct socket_record *row)
{
    (void)use;
    return row->state == SOCKET_ESTABLISHED && is_sql(survey, &row->remote);
}

typedef bool counts_row(const struct survey *survey, const struct socket_use *use, const struct socket_record *row);

/* The processes of those rows, sorted; returns how many. */
static uint32_t gather_processes(const struct survey *survey, const struct socket_use *use, counts_row *counts,
                                 uint32_t *processes)
{
    const struct evidence *evidence = &survey->surroundings->casebook->evidence;
    uint32_t count = 0;
    for (uint32_t i = 0; i < evidence->sockets.in_use; i++) {
        const struct socket_record *row = evidence_socket(evidence, i);
        if (moment_source(&row->at) == use->source && row->process != 0 && counts(survey, use, row))
            processes[count++] = row->process;
    }
    qsort(processes, count, sizeof *processes, compare_processes);
    return count;
}

static uint32_t keep_once(uint32_t *sorted, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || sorted[i] != sorted[kept - 1])
            sorted[kept++] = sorted[i];
    return kept;
}

static void find_programs(const struct survey *survey, struct socket_use *use, struct process_names *names)
{
    uint32_t *processes = memory_take_array(survey->surroundings->casebook->evidence.sockets.in_use, sizeof *processes);
    uint32_t count = keep_once(processes, gather_processes(survey, use, is_any, processes));
    process_names_choose(names, use->source, processes, count);
    count = gather_processes(survey, use, is_in_range, processes);
    use->holder = share_of(processes, count, names);
    count = gather_processes(survey, use, is_established_to_sql, processes);
    use->speaker = share_of(processes, count, names);
    memory_give(processes);
}

void socket_survey_tell_program(struct judgement *judgement, const struct process_share *share, const char *of)
{
    enum { SENTENCE_SIZE = 200 };
    char sentence[SENTENCE_SIZE];
    if (!share->program)
        return;
    snprintf(sentence, sizeof sentence, "Most of %s, %u, are of %s (process %u).", of, share->sockets, share->program,
             share->process);
    judgement_say_more(judgement, sentence);
}

static void count_row(const struct survey *survey, const struct socket_record *row, struct socket_use *use)
{
    if (!is_sql(survey, &row->remote))
        return;
    if (use->own.version == 0)
        use->own = row->local.address;
    use->to_sql_established += row->state == SOCKET_ESTABLISHED;
    if (row->state == SOCKET_TIME_WAIT && use->to_sql_time_wait++ == 0)
        use->first_time_wait = row->at;
}

static void count_source(struct survey *survey, struct socket_use *use, struct end_port *list, uint8_t *used)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    uint32_t count = 0;
    memset(used, 0, PORTS);
    find_range(casebook, use);
    for (uint32_t i = 0; i < casebook->evidence.sockets.in_use; i++) {
        const struct socket_record *row = evidence_socket(&casebook->evidence, i);
        if (moment_source(&row->at) != use->source || row->state == SOCKET_LISTEN)
            continue;
        count_row(survey, row, use);
        if (row->local.port < use->range_first || row->local.port > use->range_last)
            continue;
        if (!moment_seen(&use->first_used))
            use->first_used = row->at;
        list[count++] = (struct end_port){row->remote, row->local.port};
        use->ports_used += !used[row->local.port];
        used[row->local.port] = 1;
    }
    if (casebook->evidence.sources[use->source].system == SYSTEM_LINUX)
        use->ports_used = most_of_one_end(list, count);
}

void socket_survey_each(struct survey *survey, void (*take)(struct survey *survey, const struct socket_use *use))
{
    const struct evidence *evidence = &survey->surroundings->casebook->evidence;
    if (evidence->sockets.in_use == 0)
        return;
    struct end_port *list = memory_take_array(evidence->sockets.in_use, sizeof *list);
    uint8_t *used = memory_take(PORTS);
    struct process_names names;
    process_names_open(&names, evidence);
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        struct socket_use use = {.source = i};
        enum source_kind kind = evidence->sources[i].kind;
        if ((kind != SOURCE_NETSTAT && kind != SOURCE_SS) || evidence->sources[i].role == CAPTURE_ROLE_SERVER)
            continue;
        count_source(survey, &use, list, used);
        if (evidence->processes.in_use > 0)
            find_programs(survey, &use, &names);
        take(survey, &use);
    }
    process_names_close(&names);
    memory_give(list);
    memory_give(used);
}
