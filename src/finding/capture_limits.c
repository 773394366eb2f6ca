/* capture.limits: what keeps the evidence from telling all: too short, begun too late, a clock that jumps, a ceiling. */
#include <stdarg.h>
#include <stdio.h>

#include "count_words.h"
#include "finding_list.h"
#include "signs.h"
#include "survey.h"

/* Article, 1.5.7: of pooled connections neither begin nor end is to be expected in less than half an hour. */
#define SHORT_CAPTURE_NS (30 * 60 * NS_PER_SECOND)

/* When neither end of most connections is in the capture, what it shows is the middle of a pool's life. */
enum { INSIDE_PERCENT = 50 };

struct limits {
    char says[JUDGEMENT_TEXT_SIZE];
    size_t size;
    const char *hides; /* of the first reason, which takes most away */
};

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
limits_add(struct limits *limits, const char *hides, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (limits->size > 0)
        limits->says[limits->size++] = ' ';
    int written = vsnprintf(limits->says + limits->size, sizeof limits->says - limits->size, format, arguments);
    va_end(arguments);
    limits->size += written > 0 ? (size_t)written : 0;
    if (limits->size > sizeof limits->says - 2)
        limits->size = sizeof limits->says - 2;
    if (!limits->hides)
        limits->hides = hides;
}

static void look_at_reading(const struct point_survey *point, const char *name, struct limits *limits)
{
    if (point->incomplete > 0)
        limits_add(limits, "What the lost part of the file held is not in the report.",
                   "%s could be read only in part.", name);
    if (point->ceiling)
        limits_add(limits, "Beyond that number the report is not complete.",
                   "%s holds more than is kept track of (%s).", name, point->ceiling);
    if (point->time_backwards > 0)
        limits_add(limits, "Durations across such a jump are wrong.",
                   "%s goes back in time at %s: the clock was set, or files were joined out of order.", name,
                   count_words(point->time_backwards, "packet").text);
}

static void look_at_length(const struct point_survey *point, const struct point_facts *facts, const char *name,
                           struct limits *limits)
{
    int64_t lasted_ns = facts->last_ns - facts->first_ns;
    if (point->sql == 0)
        return;
    if (point->sql_begun == 0)
        limits_add(limits, "How these connections began and logged in is not in it.",
                   point->sql == 1 ? "%s lacks the begin of its only connection to SQL Server."
                                   : "%s lacks the begin of all its %u connections to SQL Server.",
                   name, point->sql);
    else if (lasted_ns < SHORT_CAPTURE_NS && point->sql_inside * 100ULL >= point->sql * (uint64_t)INSIDE_PERCENT)
        limits_add(limits, "How these connections began and ended is not in it.",
                   "%s lasts %.0f s, and of %u of its %s to SQL Server it has neither begin nor end: too short for an "
                   "application with a connection pool.",
                   name, seconds(lasted_ns), point->sql_inside, count_words(point->sql, "connection").text);
}

static void survey_points(struct survey *survey)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    for (uint32_t i = 0; i < casebook->point_count; i++) {
        const struct point_survey *point = &survey->points[i];
        struct limits limits = {.size = 0};
        char name[POINT_TEXT_SIZE];
        survey_point_words(survey, i, name);
        look_at_reading(point, name, &limits);
        look_at_length(point, &casebook->points[i], name, &limits);
        if (limits.size == 0)
            continue;
        struct finding *finding = survey_add_point(survey, i);
        finding->hides = limits.hides;
        finding->example.confidence = 0.9;
        judgement_say(&finding->example, "%s", limits.says);
        finding_measure(finding, "sql_connections", point->sql);
        finding_measure(finding, "sql_connections_with_begin", point->sql_begun);
        finding_measure(finding, "sql_connections_with_neither_begin_nor_end", point->sql_inside);
        finding_measure(finding, "time_backwards", (double)point->time_backwards);
    }
}

static const char *const actions[] = {
    "Capture for longer than half an hour, or until the error has appeared, in a chain of files: `netsh trace start "
    "capture=yes filemode=circular maxsize=2048 packettruncatebytes=180`, or `dumpcap -b filesize:300000 -b files:40 "
    "-s 180`. Give all files at once.",
    "To see logins as well, restart the application (or clear its pools) while the capture runs.",
    "When the clock jumps, see what sets it: `w32tm /query /status`, `chronyc tracking`; on a virtual machine switch "
    "off the host's time synchronisation or the clock's own.",
    "When a ceiling was reached, give shorter captures, or filter for the servers in question: `editcap -A BEGIN -B "
    "END IN OUT`.",
    NULL,
};

const struct detector capture_limits = {
    .cause = "capture.limits",
    .title = "The capture cannot tell everything",
    .holds_when = "A capture of less than half an hour has neither begin nor end of half of its connections to SQL "
                  "Server, or the begin of none; its time goes backwards; it could be read only in part; or it holds "
                  "more than is kept track of.",
    .means = "Pooled connections live for hours, so that a short capture shows their middle: who opened them, how the "
             "login went and how they end lies outside (article, 1.5.7). A clock that jumps makes durations wrong. "
             "Past a ceiling, or behind damage, traffic is not looked at. None of that is anybody's fault, but it "
             "cannot be told either.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_points,
};
