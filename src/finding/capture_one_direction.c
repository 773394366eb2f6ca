/* capture.one-direction: the capture holds only one side's packets. */
#include "count_words.h"
#include "finding_list.h"
#include "survey.h"

/* Half of the conversations: fewer take another way back than the rest, which says something of a path and not of the capture. */
enum { ONE_DIRECTION_PERCENT = 50 };

static void survey_points(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->surroundings->casebook->point_count; i++) {
        const struct point_survey *point = &survey->points[i];
        if (point->one_direction == 0 ||
            point->one_direction * 100ULL < point->conversations * (uint64_t)ONE_DIRECTION_PERCENT)
            continue;
        char name[POINT_TEXT_SIZE];
        struct finding *finding = survey_add_point(survey, i);
        finding->hides = "Who answered whom cannot be told from it, so nobody is blamed for what it does not show.";
        finding->example.confidence = 0.9;
        judgement_say(&finding->example, "%s holds only one side's packets of %u of %s.",
                      survey_point_words(survey, i, name), point->one_direction,
                      count_words(point->conversations, "conversation").text);
        finding_measure(finding, "one_direction", point->one_direction);
        finding_measure(finding, "conversations", point->conversations);
    }
}

static const char *const actions[] = {
    "Capture without a filter for one direction: `tcp port 1433` takes both, `dst port 1433` does not.",
    "At a mirror port of a switch, mirror both directions (Cisco: `monitor session 1 source interface IF both`).",
    "On a machine with several network cards capture on all of them: the answers may take another card.",
    "Where the way back differs from the way there, capture on the client and on the server themselves.",
    NULL,
};

const struct detector capture_one_direction = {
    .cause = "capture.one-direction",
    .title = "The capture holds only one direction",
    .holds_when = "Of at least half of a capture's conversations only one side's packets are there, although they show "
                  "that the other side answered.",
    .means =
        "A filter, a mirror port, or a way back past another card or router kept the other direction out. It looks as "
        "if nobody answered, which is not so: acknowledgements prove that packets came which are not in the file.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_points,
};
