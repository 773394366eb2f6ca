/* capture.dropped: the capture missed packets that were on the wire. */
#include "count_words.h"
#include "finding_list.h"
#include "survey.h"

static void say(const struct survey *survey, uint32_t number, struct finding *finding)
{
    const struct point_survey *point = &survey->points[number];
    char name[POINT_TEXT_SIZE];
    survey_point_words(survey, number, name);
    struct count_words dropped = count_words(point->dropped, "packet"), pieces = count_words(point->pieces, "gap"),
                       all = count_words(point->conversations, "conversation");
    if (point->dropped > 0 && point->missed > 0)
        judgement_say(
            &finding->example, "%s dropped %s by its own count, and %u of %s %s data that it does not hold (%s).", name,
            dropped.text, point->missed, all.text, point->missed == 1 ? "acknowledges" : "acknowledge", pieces.text);
    else if (point->dropped > 0)
        judgement_say(&finding->example, "%s dropped %s by its own count.", name, dropped.text);
    else
        judgement_say(&finding->example,
                      "%s missed packets: in %u of %s data was acknowledged that it does not hold (%s).", name,
                      point->missed, all.text, pieces.text);
}

static void survey_points(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->surroundings->casebook->point_count; i++) {
        const struct point_survey *point = &survey->points[i];
        if (point->dropped == 0 && point->missed == 0)
            continue;
        struct finding *finding = survey_add_point(survey, i);
        finding->hides = "What it does not show may have been sent all the same, so nothing rests on a packet that is "
                         "lacking in these conversations.";
        finding->example.confidence = point->dropped > 0 ? 1 : 0.9;
        say(survey, i, finding);
        finding_measure(finding, "dropped_by_capture", (double)point->dropped);
        finding_measure(finding, "conversations_with_gaps", point->missed);
        finding_measure(finding, "missing_pieces", point->pieces);
    }
}

static const char *const actions[] = {
    "Give the capture a larger buffer and less to write: `dumpcap -B 256 -s 180`, `tcpdump -B 262144 -s 180`, `netsh "
    "trace start capture=yes maxsize=2048 packettruncatebytes=180`.",
    "Write to a fast local disk, filter for SQL Server's ports, and do not watch packets live while they are captured.",
    "At a mirror port: two directions of one port can be more than the mirror port carries. Capture on the machine "
    "itself.",
    NULL,
};

const struct detector capture_dropped = {
    .cause = "capture.dropped",
    .title = "The capture missed packets",
    .holds_when = "The capture's own counters tell of dropped packets; or a side acknowledges data that is not in the "
                  "file, while packets of both sides are.",
    .means =
        "Acknowledged data did arrive, so the network did not lose it: the capture did, because its buffer was full, "
        "the disk slow, or the mirror port too narrow. A packet that is not in the file proves nothing then.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_points,
};
