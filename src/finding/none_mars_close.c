/* none.mars-close: the reset that ends a connection with Multiple Active Result Sets (MC-SMP). */
#include "detector.h"
#include "signs.h"

static const struct moment *reset_after(const struct tcp_side *side, const struct moment *fin)
{
    return moment_seen(&side->reset) && side->reset.time_ns >= fin->time_ns ? &side->reset : NULL;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    (void)s;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!c->tds || !c->first_close_known || c->closed_first_by != SIDE_CLIENT || !moment_seen(&client->fin))
        return false;
    const struct moment *session_fin = &c->tds->smp_fin[SIDE_CLIENT];
    if (!moment_seen(session_fin) || session_fin->time_ns > client->fin.time_ns)
        return false;
    const struct moment *reset = reset_after(client, &client->fin);
    if (!reset)
        reset = reset_after(server, &client->fin);
    if (!reset)
        return false;
    judgement->confidence = 0.97;
    judgement_prove(judgement, session_fin, "the client ends its MARS session (SMP FIN)");
    judgement_prove(judgement, &client->fin, "the client closes (FIN)");
    judgement_prove(judgement, &c->tds->smp_fin[SIDE_SERVER], "the server's SMP FIN arrives");
    judgement_prove(judgement, reset, "the reset that answers what came after the close");
    judgement_say(judgement,
                  "The connection used MARS and was closed in its usual way; the reset at the end belongs to it.");
    return true;
}

static const char *const actions[] = {"Nothing is to be done.", NULL};

const struct detector none_mars_close = {
    .cause = "none.mars-close",
    .title = "The usual end of a MARS connection",
    .holds_when = "The client's SMP FIN comes first, then its FIN, and after that a reset of either side.",
    .means =
        "With MARS the server's SMP FIN arrives after the client's FIN. The port is closed by then, so the client's "
        "machine answers with ACK+RST and resets for whatever else arrives. This is benign. With full encryption the "
        "SMP FIN cannot be seen: a reset after the client's FIN is then none.normal. (MC-SMP; article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .yields = true,
    .judge = judge,
};
