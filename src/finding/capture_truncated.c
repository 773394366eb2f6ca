/* capture.truncated: packets were recorded only in part. */
#include "count_words.h"
#include "finding_list.h"
#include "survey.h"
#include "unread_wait.h"

static void survey_points(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->surroundings->casebook->point_count; i++) {
        const struct point_survey *point = &survey->points[i];
        if (point->cut_packets == 0)
            continue;
        char name[POINT_TEXT_SIZE];
        struct finding *finding = survey_add_point(survey, i);
        finding->example.confidence = 1;
        if (point->longest_cut < HEADERS_BYTES)
            finding->hides =
                "It may not show which packets are SQL Server's, how far a login came, or what was answered.";
        judgement_say(&finding->example,
                      "%s holds %llu of its %s only in part, %u bytes at most. What lies beyond is taken as not known: "
                      "names, error texts, certificates.",
                      survey_point_words(survey, i, name), (unsigned long long)point->cut_packets,
                      count_words(point->packets, "packet").text, point->longest_cut);
        finding_measure(finding, "cut_packets", (double)point->cut_packets);
        finding_measure(finding, "packets", (double)point->packets);
        finding_measure(finding, "truncated_to_bytes", point->longest_cut);
    }
}

static const char *const actions[] = {
    "Nothing, as long as the verdict is plain: 180 bytes suffice for headers, sequence numbers and the begin of each "
    "message.",
    "When an error's text, a name or a certificate matters, capture whole packets: `tcpdump -s 0`, `dumpcap -s 0`, "
    "`netsh trace start capture=yes` without packettruncatebytes.",
    NULL,
};

const struct detector capture_truncated = {
    .cause = "capture.truncated",
    .title = "Packets were recorded only in part",
    .holds_when = "The file says that packets were longer on the wire than what it holds of them.",
    .means = "Captures are often cut to save space, and the article's own command cuts at 180 bytes. Times, sequence "
             "numbers and flags are all there; the ends of long messages are not.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_points,
};
