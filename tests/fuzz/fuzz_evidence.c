/* Fuzz target: these bytes are a log, a report or a command's output, and go the way of every such file. */
#include <stdint.h>
#include <stdlib.h>

#include "evidence_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sum; /* keeps the reading of texts from being left out */

static void read_through(const char *text)
{
    for (; text && *text; text++)
        sum += (uint8_t)*text;
}

/* Each record is of a line of this source, and of a kind that there is. */
static void check(const struct evidence *evidence)
{
    for (uint32_t i = 0; i < evidence->settings.in_use; i++) {
        const struct setting_record *record = evidence_setting(evidence, i);
        if (moment_source(&record->at) != 0 || !moment_seen(&record->at) || record->setting >= SETTINGS)
            abort();
        read_through(record->text);
    }
    for (uint32_t i = 0; i < evidence->log.in_use; i++)
        if (moment_source(&evidence_log(evidence, i)->at) != 0 || evidence_log(evidence, i)->event >= LOG_EVENTS)
            abort();
    for (uint32_t i = 0; i < evidence->drops.in_use; i++)
        read_through(evidence_drop(evidence, i)->reason);
    for (uint32_t i = 0; i < evidence->errors.in_use; i++) {
        const struct error_record *error = evidence_error(evidence, i);
        if (moment_source(&error->at) != 0 || !moment_seen(&error->at) || error->phase >= ERROR_PHASES)
            abort();
        read_through(error->server_name);
    }
    for (uint32_t i = 0; i < evidence->processes.in_use; i++) {
        const struct process_record *process = slab_at(&evidence->processes, i);
        if (moment_source(&process->at) != 0 || !moment_seen(&process->at))
            abort();
        read_through(process->image);
    }
    for (uint32_t i = 0; i < evidence->source_count; i++)
        read_through(evidence->sources[i].machine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evidence evidence;
    evidence_open(&evidence);
    bool read =
        evidence_file_read_open(&evidence, os_file_from_memory((struct span){data, size}), CAPTURE_ROLE_UNKNOWN);
    if (evidence.source_count != (read ? 1 : 0))
        abort();
    check(&evidence);
    evidence_close(&evidence);
    return 0;
}
