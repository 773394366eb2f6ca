/* `tdscope explain`: what a cause means, from the words of its detector. */
#include "fact_names.h"
#include "text_layout.h"

static void section(struct sink *sink, const char *title, const char *text)
{
    layout_heading(sink, title);
    layout_paragraph(sink, 0, 2, text);
}

void text_explanation(const struct detector *detector, struct sink *sink)
{
    layout_colour(sink, COLOUR_STRONG);
    sink_put(sink, detector->cause);
    layout_colour(sink, COLOUR_PLAIN);
    sink_put(sink, "\n");
    layout_paragraph(sink, 0, 2, detector->title);
    sink_format(sink, "  Culprit: %s. Severity: %s.\n", culprit_names[detector->culprit],
                severity_name(detector->severity));
    section(sink, "How it is recognised", detector->holds_when);
    if (detector->holds_with_both)
        section(sink, "How it is recognised with the captures of both ends", detector->holds_with_both);
    char limits[DETECTOR_LIMITS_SIZE];
    if (detector_limits(detector, limits)[0])
        section(sink, "When it is left open", limits);
    section(sink, "What it means", detector->means);
    if (!detector->actions || !detector->actions[0])
        return;
    layout_heading(sink, "What to do");
    for (unsigned i = 0; detector->actions[i]; i++) {
        sink_format(sink, "  %u.", i + 1);
        layout_paragraph(sink, i < 9 ? 4 : 5, i < 9 ? 5 : 6, detector->actions[i]);
    }
}
