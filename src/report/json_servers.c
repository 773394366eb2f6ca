/* Response times by server in JSON. */
#include "json_servers.h"

#include "json_conversation.h"
#include "json_requests.h"
#include "server_times.h"

/* Powers of two of milliseconds; the last bin has no upper border. */
static json_t *bins_array(const struct response_times *times)
{
    json_t *bins = json_new_array();
    for (unsigned i = 0; i < RESPONSE_TIME_BINS; i++) {
        if (times->bins[i] == 0)
            continue;
        json_t *bin = json_new_object();
        if (i + 1 < RESPONSE_TIME_BINS)
            object_add_seconds(bin, "below_s", NS_PER_MS << i);
        object_add_count(bin, "count", times->bins[i]);
        array_add(bins, bin);
    }
    return bins;
}

static json_t *worst_object(const struct worst_answer *worst)
{
    json_t *object = json_new_object();
    object_add_count(object, "conversation", worst->conversation);
    object_add_count(object, "capture", worst->asked.capture);
    object_add_count(object, "frame", worst->asked.frame);
    object_add_time(object, "time", worst->asked.time_ns);
    object_add_seconds(object, "first_byte_s", worst->wait_ns);
    object_add_request(object, "request", &worst->request);
    return object;
}

static json_t *server_object(const struct server_times *times)
{
    json_t *object = json_new_object();
    object_add(object, "server", json_endpoint(&times->server));
    object_add_count(object, "connections", times->connections);
    object_add_times(object, "first_byte", &times->first_bytes, times->worst_count ? times->worst[0].wait_ns : -1);
    object_add(object, "distribution", bins_array(&times->first_bytes));
    json_t *worst = json_new_array();
    for (uint32_t i = 0; i < times->worst_count; i++)
        array_add(worst, worst_object(&times->worst[i]));
    object_add(object, "worst", worst);
    return object;
}

void json_servers(const struct server_times_list *times, struct sink *sink)
{
    if (times->count > 0)
        sink_put(sink, "\"response_times\":[\n");
    for (uint32_t i = 0; i < times->count && !sink->failed; i++) {
        sink_put(sink, i ? ",\n" : "");
        json_write(server_object(&times->list[i]), false, sink);
    }
    if (times->count > 0)
        sink_put(sink, "\n],\n");
}
