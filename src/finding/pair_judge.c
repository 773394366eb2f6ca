/* Weighing what the two ends say. */
#include "pair_judge.h"

#include <string.h>

bool pair_judge_compare(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    bool found = false;
    for (unsigned i = 0; i < detector_count; i++) {
        if (!detectors[i]->judge_pair)
            continue;
        struct judgement candidate = {
            .detector = detectors[i], .severity = detectors[i]->severity, .culprit = detectors[i]->culprit};
        if (!detectors[i]->judge_pair(view, s, &candidate) || (found && candidate.confidence <= judgement->confidence))
            continue;
        *judgement = candidate;
        found = true;
    }
    return found;
}

static bool is_normal(const struct judgement *j)
{
    return j->culprit == CULPRIT_NONE;
}

static bool is_cut_off(const struct judgement *j)
{
    return strcmp(j->detector->cause, "unknown.cut-off") == 0;
}

static const struct judgement *surer(const struct judgement *a, const struct judgement *b)
{
    return b->confidence > a->confidence ? b : a;
}

/* That capture was running when the last packets of the other side arrived there, or should have, and missed none: so it would
 * show what the other capture holds against somebody. */
static bool could_refute(const struct pair_view *view, enum side at)
{
    return !view->compared ||
           (view->compared->passages[side_other(at)].open_at_end == 0 && !pair_view_capture_misses(view, at));
}

/* What came before may be the reason of what that capture shows. */
static bool begins_late(const struct pair_view *view, enum side at)
{
    const struct conversation *own = pair_view_at(view, at), *other = pair_view_at(view, side_other(at));
    return !own->starts_with_syn && (view->compared ? view->compared->uncovered[at] > 0 : other->starts_with_syn);
}

static bool is_poor(const struct pair_view *view, enum side at)
{
    return begins_late(view, at) || (view->compared && pair_view_capture_misses(view, at));
}

const struct judgement *pair_judge_choose(const struct pair_view *view, const struct judgement *by_client,
                                          const struct judgement *by_server)
{
    if (is_poor(view, SIDE_SERVER) != is_poor(view, SIDE_CLIENT))
        return is_poor(view, SIDE_SERVER) ? by_client : by_server;
    if (is_normal(by_server) && !could_refute(view, SIDE_SERVER))
        return by_client;
    if (is_normal(by_client) && !could_refute(view, SIDE_CLIENT))
        return by_server;
    /* Slow is not yet broken. */
    if ((by_client->severity == SEVERITY_RISK && by_server->severity == SEVERITY_FAULT) ||
        (by_client->severity == SEVERITY_FAULT && by_server->severity == SEVERITY_RISK))
        return by_client->severity == SEVERITY_FAULT ? by_client : by_server;
    /* What the server's machine did with packets that reached it is only in its own capture, and the same of the client. */
    if (by_server->culprit == CULPRIT_SERVER && by_client->culprit != CULPRIT_SERVER)
        return by_server;
    if (by_client->culprit == CULPRIT_CLIENT && by_server->culprit != CULPRIT_CLIENT)
        return by_client;
    if (by_server->culprit == CULPRIT_CLIENT && is_normal(by_client))
        return by_client;
    if (by_client->culprit == CULPRIT_SERVER && is_normal(by_server))
        return by_server;
    if (is_cut_off(by_client) != is_cut_off(by_server))
        return is_cut_off(by_client) ? by_server : by_client;
    if (is_normal(by_client) != is_normal(by_server))
        return is_normal(by_client) ? by_server : by_client;
    bool client_open = by_client->culprit == CULPRIT_UNKNOWN, server_open = by_server->culprit == CULPRIT_UNKNOWN;
    if (client_open != server_open)
        return client_open ? by_server : by_client;
    return surer(by_client, by_server);
}
