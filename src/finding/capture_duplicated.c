/* capture.duplicated: the capture holds packets more than once. */
#include "count_words.h"
#include "finding_list.h"
#include "survey.h"

/* A path may copy a packet now and then, and some systems repeat one with its old IP ID; a capture that sees the same traffic at two
 * places copies all of it, or all of one kind. One in a hundred, and ten of them, lies between. */
enum { DUPLICATES_LEAST = 10, DUPLICATES_PERCENT = 1 };

static void survey_points(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->surroundings->casebook->point_count; i++) {
        const struct point_survey *point = &survey->points[i];
        if (point->copied < DUPLICATES_LEAST || point->copied * 100 < point->copyable * (uint64_t)DUPLICATES_PERCENT)
            continue;
        char name[POINT_TEXT_SIZE];
        struct finding *finding = survey_add_point(survey, i);
        double share = survey_percent(point->copied, point->copyable);
        finding->example.confidence = 0.95;
        judgement_say(&finding->example,
                      "%s holds %s a second time (%.0f %% of all). The copies are not counted as retransmissions.",
                      survey_point_words(survey, i, name), count_words(point->copied, "packet").text, share);
        finding_measure(finding, "duplicates", (double)point->copied);
        finding_measure(finding, "of_packets", (double)point->copyable);
    }
}

static const char *const actions[] = {
    "Capture on one interface only, the one that has the address: `dumpcap -D` or `Get-NetAdapter` lists them. "
    "`tcpdump -i any`, teamed adapters and virtual switches show a packet once at each layer.",
    "At a mirror port of a switch, mirror one direction of both ports, or both directions of one port.",
    "To make a file without copies: `editcap -d IN OUT`.",
    "Where the captures of client and server were merged into one file, give tdscope the two as they were: of one file "
    "it follows what one of the two places saw, of two it compares them.",
    NULL,
};

const struct detector capture_duplicated = {
    .cause = "capture.duplicated",
    .title = "The capture holds packets twice",
    .holds_when =
        "At least one TCP packet in a hundred, and ten of them, is recorded again: the same addresses, "
        "sequence numbers, flags and data, with the same IP ID or within a moment, or with the TTL of another place.",
    .means = "The capture saw the same traffic at two places: two interfaces, a team and its members, a virtual switch "
             "and its port, or a mirror port in both directions. Tools that take copies for retransmissions find loss "
             "where there is none. tdscope leaves copies out; of two places whose packets differ by the TTL it follows "
             "one.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_points,
};
