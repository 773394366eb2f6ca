/* Waits in connections of which only headers were captured. */
#include "unread_wait.h"

#include "signs.h"
#include "ttl_signs.h"

bool unread_is(const struct conversation *c, const struct surroundings *s)
{
    const struct casebook *casebook = s->casebook;
    if (c->tds || c->first.capture >= casebook->capture_count)
        return false;
    const struct capture_facts *capture = &casebook->captures[c->first.capture];
    return capture->cut_packets > 0 && capture->longest_cut < HEADERS_BYTES;
}

/* What comes from a server that long after the client's close is no good-bye (TLS's comes in answer to the client's), but what the client had
 * waited for. */
static bool answers_after(const struct conversation *c, const struct moment *close)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return moment_seen(close) && c->first_close_known && c->closed_first_by == SIDE_CLIENT &&
           moment_seen(&client->last_data) && client->last_data.time_ns <= close->time_ns &&
           server->last_data.time_ns - close->time_ns >= NS_PER_SECOND;
}

struct unread_wait unread_wait_of(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    struct unread_wait wait = {.since = client->last_data, .close = conversation_first_close(c)};
    if (!unread_is(c, s) || !c->starts_with_syn || signs_of_other_service(c, s) || !conversation_established(c) ||
        !(signs_of_pending_request(c) || answers_after(c, &wait.close)) || client->unacknowledged_bytes > 0)
        return wait;
    if (signs_of_one_direction(c) || signs_of_missed_packets(c) || signs_of_silence(c).held ||
        signs_of_more_sent(c, SIDE_CLIENT) || signs_of_more_sent(c, SIDE_SERVER) || signs_of_foreign_reset(server))
        return wait;
    wait.held = true;
    wait.perhaps_of_login = client->data_packets <= OPENING_PACKETS;
    wait.of_login = signs_of_sql(c, s) && client->data_packets <= LOGIN_WORDS && server->data_packets < LOGIN_WORDS;
    wait.closed = moment_seen(&wait.close) && c->first_close_known;
    wait.closed_by = wait.closed ? c->closed_first_by : SIDE_CLIENT;
    wait.waited_ns = (wait.closed ? wait.close.time_ns : surroundings_end_ns(s, c)) - wait.since.time_ns;
    return wait;
}

struct unread_answer unread_answer_of(const struct conversation *c, const struct surroundings *s)
{
    const struct slow_answer *slow = &c->slow_answer;
    int64_t waited_ns = slow->lasted_ms * NS_PER_MS;
    struct unread_answer answer = {.asked = slow->asked, .packets = slow->packets, .waited_ns = waited_ns};
    answer.held = slow->lasted_ms > 0 && unread_is(c, s) && c->starts_with_syn && signs_of_sql(c, s) &&
                  conversation_established(c) && !signs_of_one_direction(c) && !signs_of_missed_packets(c);
    answer.repeated = signs_of_retransmits_within(c, slow->asked.time_ns, slow->asked.time_ns + waited_ns);
    return answer;
}
