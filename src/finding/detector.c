/* The registry of detectors, and how a judgement is worded. */
#include "detector.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actions.h"

#define DETECTOR(name) extern const struct detector name;
#define HOST_DETECTOR(name) extern const struct detector name[SIDES];
#include "detectors.def"
#undef DETECTOR
#undef HOST_DETECTOR

#define DETECTOR(name) &name,
#define HOST_DETECTOR(name) &name[SIDE_CLIENT], &name[SIDE_SERVER],
const struct detector *const detectors[] = {
#include "detectors.def"
};
#undef DETECTOR
#undef HOST_DETECTOR

const unsigned detector_count = sizeof detectors / sizeof *detectors;
static_assert(sizeof detectors / sizeof *detectors <= DETECTORS_MAX, "what is counted by detector has room for each");

const char *const culprit_names[CULPRITS] = {
    [CULPRIT_NONE] = "none",       [CULPRIT_CLIENT] = "client",   [CULPRIT_SERVER] = "server",
    [CULPRIT_NETWORK] = "network", [CULPRIT_UNKNOWN] = "unknown",
};

const struct detector *detector_by_cause(const char *cause)
{
    for (unsigned i = 0; i < detector_count; i++)
        if (strcmp(detectors[i]->cause, cause) == 0)
            return detectors[i];
    return NULL;
}

unsigned detector_number(const struct detector *detector)
{
    unsigned number = 0;
    while (detectors[number] != detector)
        number++;
    return number;
}

const char action_trace_server[] =
    "Capture on the server at the same time and give both files to tdscope: on Windows `" TRACE_COMMAND
    "` (stop it right after the error with `netsh trace stop`), on Linux `tcpdump -i any -s 180 -w server.pcap tcp`.";
const char action_trace_both[] =
    "Capture on client and server at the same time and give both files to tdscope: on Windows `" TRACE_COMMAND
    "` (stop it right after the error with `netsh trace stop`), on Linux `tcpdump -i any -s 180 -w side.pcap tcp`.";

/* Proofs are kept in order of time, whatever the order in which they are given. */
void judgement_prove(struct judgement *judgement, const struct moment *moment, const char *format, ...)
{
    if (!moment_seen(moment) || judgement->proof_count == PROOFS_MAX)
        return;
    unsigned at = judgement->proof_count++;
    while (at > 0 && judgement->proofs[at - 1].moment.time_ns > moment->time_ns) {
        judgement->proofs[at] = judgement->proofs[at - 1];
        at--;
    }
    judgement->proofs[at].moment = *moment;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(judgement->proofs[at].says, PROOF_TEXT_SIZE, format, arguments);
    va_end(arguments);
}

void judgement_say(struct judgement *judgement, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(judgement->says, JUDGEMENT_TEXT_SIZE, format, arguments);
    va_end(arguments);
}

void judgement_say_more(struct judgement *judgement, const char *sentence)
{
    size_t used = strlen(judgement->says), size = strlen(sentence) + 1;
    if (used + 1 + size > JUDGEMENT_TEXT_SIZE)
        return;
    if (used > 0)
        judgement->says[used++] = ' ';
    memcpy(judgement->says + used, sentence, size);
}

void judgement_leave_open(struct judgement *judgement, double confidence)
{
    judgement->culprit = CULPRIT_UNKNOWN;
    judgement->confidence = confidence;
}

void judgement_doubt(struct judgement *judgement, double at_most)
{
    judgement_leave_open(judgement, judgement->confidence > at_most ? at_most : judgement->confidence);
}

const char *detector_limits(const struct detector *detector, char text[static DETECTOR_LIMITS_SIZE])
{
    static const char holes[] =
        "The culprit stays open where the proof reaches into a hole of the capture (a while of which it has nothing, "
        "although packets passed, or a file that is not there), where the capture's clock was set meanwhile (back, or "
        "forward as timestamps of both ends tell), and where the file is not in order of time and packets of the "
        "connection changed places.";
    static const char absence[] = " So it does where the capture missed packets of the connection.";
    static const char elsewhere[] =
        " With the captures of both ends, so it does where the server's, which was running, has nothing of a "
        "connection that had begun before.";
    static const char yields[] = " A fault of the same connection comes before it.";
    bool accuses = detector->judge && detector->culprit != CULPRIT_NONE && detector->culprit != CULPRIT_UNKNOWN;
    bool closes = accuses && detector->culprit == CULPRIT_SERVER && detector->rests_on_absence && !detector->judge_pair;
    snprintf(text, DETECTOR_LIMITS_SIZE, "%s%s%s%s", accuses ? holes : "",
             accuses && detector->rests_on_absence ? absence : "", closes ? elsewhere : "",
             accuses && detector->yields ? yields : "");
    return text;
}
