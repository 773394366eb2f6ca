/* capture.offload: the capturing machine leaves checksums to its network card. */
#include "count_words.h"
#include "finding_list.h"
#include "survey.h"

/* A checksum of zero or of the pseudo header alone happens by chance in one packet of some ten thousand; a card that makes them
 * leaves all of the machine's own packets without. One in a hundred lies far from both. */
enum { OFFLOADED_LEAST = 3, OFFLOADED_PERCENT = 1 };

static void survey_points(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->surroundings->casebook->point_count; i++) {
        const struct point_survey *point = &survey->points[i];
        if (point->offloaded < OFFLOADED_LEAST ||
            point->offloaded * 100 < point->tcp_packets * (uint64_t)OFFLOADED_PERCENT)
            continue;
        char name[POINT_TEXT_SIZE];
        struct finding *finding = survey_add_point(survey, i);
        finding->example.confidence = 0.95;
        judgement_say(&finding->example, "%s holds %s whose TCP checksum was still to be made by the network card. %s.",
                      survey_point_words(survey, i, name), count_words(point->offloaded, "packet").text,
                      point->offloaded == 1 ? "It is not damaged: it was recorded before it left"
                                            : "They are not damaged: they were recorded before they left");
        finding_measure(finding, "offloaded", (double)point->offloaded);
        finding_measure(finding, "tcp_packets", (double)point->tcp_packets);
    }
}

static const char *const actions[] = {
    "Nothing. In Wireshark, switch off the check so that it does not mark these packets: Preferences, Protocols, TCP, "
    "\"Validate the TCP checksum\".",
    "See what the card does: `Get-NetAdapterChecksumOffload; Get-NetAdapterLso` on Windows, `ethtool -k IF` on Linux.",
    NULL,
};

const struct detector capture_offload = {
    .cause = "capture.offload",
    .title = "Checksums are left to the network card",
    .holds_when = "At least one TCP packet in a hundred, and three of them, has a checksum of zero or of the pseudo "
                  "header alone, as systems leave it for the card to finish.",
    .means = "The capture was taken on a machine whose card makes the checksums: its own packets are recorded before "
             "that. Such a card usually cuts large packets into segments, too, so the capture shows packets larger "
             "than any on the wire. Both are normal.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_points,
};
