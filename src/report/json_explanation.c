/* `explain --format json`: the words of a detector as one object on one line. */
#include "json_explanation.h"

#include "fact_names.h"
#include "json_values.h"

void json_explanation(const struct detector *detector, struct sink *sink)
{
    json_t *object = json_new_object();
    object_add_text(object, "cause", detector->cause);
    object_add_text(object, "title", detector->title);
    object_add_text(object, "culprit", culprit_names[detector->culprit]);
    object_add_text(object, "severity", severity_name(detector->severity));
    object_add_text(object, "holds_when", detector->holds_when);
    object_add_text(object, "holds_with_both", detector->holds_with_both);
    char limits[DETECTOR_LIMITS_SIZE];
    if (detector_limits(detector, limits)[0])
        object_add_text(object, "limits", limits);
    object_add_text(object, "means", detector->means);
    json_t *actions = json_new_array();
    for (unsigned i = 0; detector->actions[i]; i++)
        array_add_text(actions, detector->actions[i]);
    object_add(object, "actions", actions);
    json_write(object, false, sink);
    sink_put(sink, "\n");
}
