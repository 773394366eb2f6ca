/* The pattern of failures as members of verdict and findings. */
#include "json_pattern.h"

#include "failure_pattern.h"

static json_t *bursts_array(const struct failure_pattern *pattern)
{
    json_t *bursts = json_new_array();
    for (uint32_t i = 0; i < pattern->burst_count && i < BURSTS_LISTED; i++) {
        json_t *burst = json_new_object();
        object_add_time(burst, "first", pattern->bursts[i].first_ns);
        object_add_time(burst, "last", pattern->bursts[i].last_ns);
        object_add_count(burst, "count", pattern->bursts[i].count);
        array_add(bursts, burst);
    }
    return bursts;
}

void object_add_pattern(json_t *object, const struct judge *judge, const struct finding *finding)
{
    struct failure_pattern pattern;
    if (!failure_pattern_of(judge, finding, &pattern))
        return;
    json_t *member = json_new_object();
    object_add_text(member, "says", pattern.says);
    object_add_count(member, "failures", pattern.failures);
    object_add_count(member, "clients", pattern.clients);
    object_add_count(member, "servers", pattern.servers);
    if (pattern.spared_clients > 0)
        object_add_count(member, "clients_without_failure", pattern.spared_clients);
    object_add_text(member, "application", pattern.application);
    object_add_text(member, "library", pattern.library);
    object_add_time(member, "first", pattern.first_ns);
    object_add_time(member, "last", pattern.last_ns);
    object_add(member, "bursts", bursts_array(&pattern));
    if (pattern.burst_count > BURSTS_LISTED)
        object_add_count(member, "bursts_beyond", pattern.burst_count - BURSTS_LISTED);
    if (pattern.periodic) {
        object_add_seconds(member, "period_s", pattern.period_ns);
        object_add_seconds(member, "off_period_at_most_s", pattern.off_most_ns);
        if (pattern.worked_known)
            object_add_flag(member, "worked_between", pattern.worked_between);
    }
    if (pattern.p_value < 1)
        object_add(member, "p_value", json_real(pattern.p_value));
    object_add(object, "pattern", member);
}
