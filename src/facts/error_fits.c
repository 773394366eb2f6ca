/* A driver reports when its socket fails or its own time runs out; then it closes. */
#include "error_fits.h"

#include <string.h>

#include "casebook.h"

/* A second for the resolution of a log's times, and one for whoever writes it. */
#define WRITTEN_WITHIN_NS (2 * NS_PER_SECOND)
/* RFC 6298, 2.1 and 5.5: the first SYN waits up to 3 s, and each next one twice as long as the one before. */
#define FIRST_SYN_WAITS_NS (3 * NS_PER_SECOND)

static bool failed(const struct conversation *c)
{
    enum login_stage stage = conversation_login_stage(c);
    bool cut = c->ending == ENDING_RESET || c->ending == ENDING_TIMEOUT;
    if (stage == LOGIN_STAGE_DONE || stage == LOGIN_STAGE_UNKNOWN)
        return cut || (c->first_close_known && c->closed_first_by == SIDE_SERVER);
    return c->ending != ENDING_OPEN;
}

bool error_fits_when(const struct casebook *casebook, const struct conversation *conversation, int64_t *from_ns,
                     int64_t *to_ns)
{
    uint32_t point = conversation->point;
    bool same_clock = point < casebook->point_count && casebook->points[point].role == CAPTURE_ROLE_CLIENT;
    if (!same_clock || !failed(conversation))
        return false;
    struct moment close = conversation_first_close(conversation);
    bool unanswered = conversation->ending == ENDING_NO_ANSWER;
    const struct moment *end = moment_seen(&close) && !unanswered ? &close : &conversation->last;
    int64_t end_ns = casebook_moment_ns(casebook, end);
    *from_ns = end_ns - WRITTEN_WITHIN_NS;
    *to_ns = end_ns + WRITTEN_WITHIN_NS;
    if (unanswered) /* it is given up before the next SYN */
        *to_ns += end_ns - casebook_moment_ns(casebook, &conversation->first) + FIRST_SYN_WAITS_NS;
    return true;
}

/* What a driver calls a phase, and how far the packets show that it came. */
static bool fits_phase(enum error_phase phase, enum login_stage stage)
{
    bool opening = stage != LOGIN_STAGE_DONE && stage != LOGIN_STAGE_UNKNOWN;
    switch (phase) {
    case ERROR_PHASE_UNKNOWN:
        return true;
    case ERROR_PHASE_OPENING:
        return opening;
    case ERROR_PHASE_CONNECT:
        return stage == LOGIN_STAGE_SYN || stage == LOGIN_STAGE_CONNECTED;
    case ERROR_PHASE_PRELOGIN:
        return stage == LOGIN_STAGE_CONNECTED || stage == LOGIN_STAGE_PRELOGIN || stage == LOGIN_STAGE_TLS;
    case ERROR_PHASE_LOGIN:
        return opening && stage != LOGIN_STAGE_SYN && stage != LOGIN_STAGE_CONNECTED;
    case ERROR_PHASE_SESSION:
        return !opening;
    default:
        return false; /* waiting for a pool sends nothing, and a command's end need not end its connection */
    }
}

static bool fits_end(const struct endpoint *told, const struct endpoint *here, const struct endpoint *there)
{
    bool address = told->address.version == 0 || address_equal(&told->address, &here->address) ||
                   address_equal(&told->address, &there->address);
    return address && (told->port == 0 || told->port == here->port || told->port == there->port);
}

bool error_fits(const struct casebook *casebook, const struct conversation *conversation,
                const struct error_record *error)
{
    const struct tds_facts *tds = conversation->tds;
    if (error->has_connection_id && tds && tds->has_connection_id &&
        memcmp(error->connection_id, tds->connection_id, sizeof error->connection_id) != 0)
        return false;
    if (!fits_phase(error->phase, conversation_login_stage(conversation)))
        return false;
    /* Behind address translation the server's ends are what its own capture shows; the application knows the client's. */
    const struct endpoint *here = &conversation->ends[SIDE_SERVER], *there = here;
    struct endpoint far = *here;
    if (conversation->twin && !conversation->secondary) {
        far = casebook_conversation(casebook, conversation->twin - 1)->ends[SIDE_SERVER];
        there = &far;
    }
    return fits_end(&error->server, here, there);
}
