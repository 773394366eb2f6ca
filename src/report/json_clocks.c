/*
 * "clock": how the server's clock and the client's differ. "clocks": of each two captures that have connections in common, if they are
 * more than two or there is more to say. "delays": of each such two, how long packets were on their way, over time, by one clock.
 */
#include "json_clocks.h"

/* One number, whatever the clocks do meanwhile, and within how much of it the difference always is. */
static void add_difference(json_t *object, const char *key, const struct clock_facts *clock)
{
    int64_t least_ns, most_ns;
    clock_extent(clock, &least_ns, &most_ns);
    object_add(object, key, json_real((double)(least_ns + (most_ns - least_ns) / 2) / (double)NS_PER_SECOND));
    object_add_seconds(object, "uncertainty_s", clock->uncertainty_ns + (most_ns - least_ns + 1) / 2);
}

static void write_clock(const struct clock_facts *clock, struct sink *sink)
{
    if (!clock->known)
        return;
    json_t *object = json_new_object();
    add_difference(object, "server_minus_client_s", clock);
    if (clock->drift != 0)
        object_add(object, "drift_ppm", json_real(clock->drift * 1e6));
    sink_put(sink, "\"clock\":");
    json_write(object, false, sink);
    sink_put(sink, ",\n");
}

static uint32_t capture_at(const struct casebook *casebook, uint32_t point)
{
    uint32_t capture = 0;
    while (capture + 1 < casebook->capture_count && casebook->captures[capture].point != point)
        capture++;
    return capture;
}

/* Where the rate changes: the difference at these times, with straight lines in between. */
static void add_curve(json_t *object, const struct clock_facts *clock)
{
    if (clock->knot_count == 0)
        return;
    json_t *curve = json_new_array();
    for (uint32_t i = 0; i < clock->knot_count; i++) {
        json_t *knot = json_new_object();
        object_add_time(knot, "time", clock->knots[i].at_ns);
        object_add(knot, "far_minus_near_s", json_real((double)clock->knots[i].shift_ns / (double)NS_PER_SECOND));
        array_add(curve, knot);
    }
    object_add(object, "curve", curve);
    object_add_seconds(object, "curve_uncertainty_s", clock->uncertainty_ns);
}

/* How the clocks of captures differ that have connections in common: of more than two captures, or where there is more to say than one
 * number. */
static void write_clocks(const struct casebook *casebook, struct sink *sink)
{
    if (casebook->pairs.count == 0 || (casebook->pairs.count == 1 && casebook->clock.knot_count == 0))
        return;
    json_t *list = json_new_array();
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        json_t *object = json_new_object();
        object_add_count(object, "near", capture_at(casebook, pair->near));
        object_add_count(object, "far", capture_at(casebook, pair->far));
        object_add_count(object, "connections", pair->connections);
        if (pair->clock.known)
            add_difference(object, "far_minus_near_s", &pair->clock);
        add_curve(object, &pair->clock);
        array_add(list, object);
    }
    sink_put(sink, "\"clocks\":");
    json_write(list, false, sink);
    sink_put(sink, ",\n");
}

static void add_delay(json_t *slice, const char *way, const struct way_delay *delay)
{
    if (delay->packets == 0)
        return;
    json_t *object = json_new_object();
    object_add_count(object, "packets", delay->packets);
    object_add_seconds(object, "shortest_s", delay->shortest_ns);
    object_add_seconds(object, "longest_s", delay->longest_ns);
    object_add(slice, way, object);
}

static json_t *slices_array(const struct point_pair *pair)
{
    json_t *slices = json_new_array();
    for (unsigned i = 0; i < WAY_SLICES; i++) {
        struct way_delay out = way_times_delay(pair->ways, &pair->clock, SIDE_CLIENT, i, i + 1),
                         back = way_times_delay(pair->ways, &pair->clock, SIDE_SERVER, i, i + 1);
        if (out.packets + back.packets == 0)
            continue;
        json_t *slice = json_new_object();
        object_add_time(slice, "from", way_times_from_ns(pair->ways, i));
        add_delay(slice, "to_far", &out);
        add_delay(slice, "to_near", &back);
        array_add(slices, slice);
    }
    return slices;
}

/* A slice is as long as the near capture divided by their number. */
static void write_delays(const struct casebook *casebook, struct sink *sink)
{
    json_t *list = json_new_array();
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        json_t *slices = pair->ways ? slices_array(pair) : json_new_array();
        if (json_array_size(slices) == 0) {
            json_decref(slices);
            continue;
        }
        json_t *object = json_new_object();
        object_add_count(object, "near", capture_at(casebook, pair->near));
        object_add_count(object, "far", capture_at(casebook, pair->far));
        object_add_seconds(object, "slice_s", pair->ways->slice_ns);
        object_add(object, "slices", slices);
        array_add(list, object);
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        return;
    }
    sink_put(sink, "\"delays\":");
    json_write(list, false, sink);
    sink_put(sink, ",\n");
}

void json_clocks(const struct casebook *casebook, struct sink *sink)
{
    write_clock(&casebook->clock, sink);
    write_clocks(casebook, sink);
    write_delays(casebook, sink);
}
