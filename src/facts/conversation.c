/* What follows from a conversation's facts without judging them. */
#include "conversation.h"

/* Retries without an answer that make an end a time-out. Windows gives data up after five retransmissions
 * (TcpMaxDataRetransmissions) and keep-alives after ten probes; three in a row without a packet from the other side
 * already exclude a single lost packet. */
enum { UNANSWERED_RETRIES = 3, UNANSWERED_KEEP_ALIVES = 3 };

static bool earlier(const struct moment *a, const struct moment *b)
{
    return moment_seen(a) &&
           (!moment_seen(b) || a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->frame < b->frame));
}

static struct moment first_of(const struct moment *a, const struct moment *b)
{
    return earlier(a, b) ? *a : *b;
}

bool conversation_established(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!moment_seen(&client->syn) && !moment_seen(&server->syn))
        return true;
    if (!moment_seen(&server->syn) && moment_seen(&client->syn))
        return server->data_packets > 0;
    uint32_t copies_and_control = client->capture_duplicates + client->syns + client->resets;
    return client->packets > copies_and_control || server->data_packets > 0;
}

struct moment conversation_first_close(const struct conversation *c)
{
    struct moment client = first_of(&c->sides[SIDE_CLIENT].fin, &c->sides[SIDE_CLIENT].reset);
    struct moment server = first_of(&c->sides[SIDE_SERVER].fin, &c->sides[SIDE_SERVER].reset);
    return first_of(&client, &server);
}

static bool gave_up_retrying(const struct tcp_side *side)
{
    bool retried = side->data_run.count >= UNANSWERED_RETRIES && side->silent_run;
    bool probed = side->keep_alive_run.count >= UNANSWERED_KEEP_ALIVES && side->silent_run;
    return retried || probed;
}

static enum conversation_ending ending_of(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool handshake_failed = moment_seen(&client->syn) && !moment_seen(&server->syn) && server->data_packets == 0;
    bool only_asks = client->packets <= (uint32_t)client->syns + client->resets + client->capture_duplicates;
    if (handshake_failed && only_asks && moment_seen(&server->reset))
        return ENDING_REFUSED;
    if (handshake_failed && only_asks && server->packets == 0)
        return ENDING_NO_ANSWER;
    if (gave_up_retrying(client) || gave_up_retrying(server))
        return ENDING_TIMEOUT;
    struct moment fin = first_of(&client->fin, &server->fin), reset = first_of(&client->reset, &server->reset);
    if (!moment_seen(&fin) && !moment_seen(&reset))
        return ENDING_OPEN;
    return earlier(&fin, &reset) ? ENDING_FIN : ENDING_RESET;
}

/* By time, unless the acknowledgements tell another order: captures with several queues may record packets out of order,
 * and may miss the first FIN. */
static void conclude_first_close(struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    struct moment client_close = first_of(&client->fin, &client->reset);
    struct moment server_close = first_of(&server->fin, &server->reset);
    c->first_close_known = moment_seen(&client_close) || moment_seen(&server_close);
    c->closed_first_by = earlier(&server_close, &client_close) ? SIDE_SERVER : SIDE_CLIENT;
    const struct tcp_side *first = &c->sides[c->closed_first_by];
    if (!moment_seen(&first->fin) || earlier(&first->reset, &first->fin))
        return;
    if (first->fin_answers)
        c->closed_first_by = side_other(c->closed_first_by);
    else if (first->fin_order_open)
        c->first_close_known = false;
}

void conversation_exchange_sides(struct conversation *c)
{
    struct endpoint end = c->ends[SIDE_CLIENT];
    c->ends[SIDE_CLIENT] = c->ends[SIDE_SERVER];
    c->ends[SIDE_SERVER] = end;
    struct tcp_side facts = c->sides[SIDE_CLIENT];
    c->sides[SIDE_CLIENT] = c->sides[SIDE_SERVER];
    c->sides[SIDE_SERVER] = facts;
}

bool conversation_closed_by_fin(const struct conversation *c)
{
    if (!c->first_close_known)
        return false;
    const struct tcp_side *first = &c->sides[c->closed_first_by];
    if (!moment_seen(&first->fin))
        return c->sides[side_other(c->closed_first_by)].fin_answers;
    return !earlier(&first->reset, &first->fin);
}

void conversation_conclude(struct conversation *c)
{
    c->ending = ending_of(c);
    conclude_first_close(c);
}

enum login_stage conversation_login_stage(const struct conversation *c)
{
    const struct tds_facts *tds = c->tds;
    if (!tds) {
        if (!c->starts_with_syn)
            return LOGIN_STAGE_UNKNOWN;
        return conversation_established(c) && moment_seen(&c->sides[SIDE_SERVER].syn) ? LOGIN_STAGE_CONNECTED
                                                                                      : LOGIN_STAGE_SYN;
    }
    const struct moment *steps = tds->steps;
    if (moment_seen(&steps[LOGIN_STEP_LOGIN_ACK]))
        return LOGIN_STAGE_DONE;
    if (moment_seen(&steps[LOGIN_STEP_LOGIN_ERROR]))
        return LOGIN_STAGE_REFUSED;
    if (moment_seen(&steps[LOGIN_STEP_FIRST_REQUEST]))
        return LOGIN_STAGE_DONE;
    if (moment_seen(&steps[LOGIN_STEP_SSPI_CHALLENGE]))
        return LOGIN_STAGE_AUTHENTICATING;
    /* Of one side's packets only the answers may have been captured. */
    if (moment_seen(&steps[LOGIN_STEP_LOGIN]) || moment_seen(&steps[LOGIN_STEP_LOGIN_ANSWER]))
        return LOGIN_STAGE_LOGIN;
    if (moment_seen(&steps[LOGIN_STEP_CLIENT_HELLO]) || moment_seen(&steps[LOGIN_STEP_SERVER_HELLO]))
        return LOGIN_STAGE_TLS;
    if (moment_seen(&steps[LOGIN_STEP_PRELOGIN]) || moment_seen(&steps[LOGIN_STEP_PRELOGIN_ANSWER]))
        return LOGIN_STAGE_PRELOGIN;
    return LOGIN_STAGE_UNKNOWN;
}

int64_t conversation_login_duration_ns(const struct conversation *c)
{
    if (!c->tds)
        return -1;
    const struct moment *steps = c->tds->steps;
    struct moment start = c->sides[SIDE_CLIENT].syn;
    if (!moment_seen(&start))
        start = first_of(&steps[LOGIN_STEP_PRELOGIN], &steps[LOGIN_STEP_CLIENT_HELLO]);
    struct moment end = first_of(&steps[LOGIN_STEP_LOGIN_ACK], &steps[LOGIN_STEP_LOGIN_ERROR]);
    if (!moment_seen(&end) && !moment_seen(&steps[LOGIN_STEP_SSPI_CHALLENGE]))
        end = steps[LOGIN_STEP_LOGIN_ANSWER];
    return moment_seen(&start) && moment_seen(&end) ? end.time_ns - start.time_ns : -1;
}

static bool is_plain_side(const struct tcp_side *side)
{
    bool sound = side->resets == 0 && !moment_seen(&side->older_reset);
    bool heard = side->retransmits == 0 && side->keep_alives == 0 && side->data_run.count == 0 && !side->silent_run &&
                 side->unacknowledged_bytes == 0 && side->hole_bytes == 0 && side->ahead_bytes == 0;
    bool captured = side->unseen_segments == 0 && !side->acknowledged_unseen && side->capture_duplicates == 0;
    return sound && heard && captured && side->zero_windows == 0;
}

static bool is_plain_session(const struct tds_facts *tds)
{
    bool errors =
        tds->login_error.number != 0 || tds->error_kinds > 0 || tds->errors_beyond > 0 || tds->errors_unread > 0;
    bool alerts = moment_seen(&tds->client_alert) || moment_seen(&tds->server_alert);
    bool answered = !tds->request_unanswered && !moment_seen(&tds->first_attention) &&
                    tds->slowest_response_ns < PLAIN_WAIT_NS && tds->slowest_end_ns < PLAIN_WAIT_NS;
    return !errors && !alerts && answered && tds->malformed == 0 && !moment_seen(&tds->routed);
}

static bool both_seen(const struct moment *client, const struct moment *server)
{
    return moment_seen(client) && moment_seen(server);
}

/* From SYN to the login's answer; of one that was let go, what there is of it: it may go on from one that was let go before. */
static bool begins_plainly(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (c->let_go && !c->starts_with_syn)
        return c->tds->recognised_mid_stream;
    int64_t login_ns = conversation_login_duration_ns(c);
    return c->starts_with_syn && both_seen(&client->syn, &server->syn) &&
           conversation_login_stage(c) == LOGIN_STAGE_DONE && login_ns >= 0 && login_ns < PLAIN_WAIT_NS;
}

static bool ends_plainly(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (c->let_go)
        return c->ending == ENDING_OPEN && !moment_seen(&client->fin) && !moment_seen(&server->fin);
    return c->ending == ENDING_FIN && c->first_close_known && c->closed_first_by == SIDE_CLIENT &&
           both_seen(&client->fin, &server->fin);
}

bool conversation_is_plain(const struct conversation *c)
{
    if (!c->tds || c->tuple_reused || c->goes_back || c->icmp.count > 0 || c->service || c->twin)
        return false;
    return begins_plainly(c) && ends_plainly(c) && is_plain_side(&c->sides[SIDE_CLIENT]) &&
           is_plain_side(&c->sides[SIDE_SERVER]) && is_plain_session(c->tds);
}
