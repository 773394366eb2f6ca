/* server.no-ack: packets reach the server machine, and nothing answers them. */
#include "actions.h"
#include "detector.h"
#include "signs.h"

/* The client repeats itself and nothing answers; or what arrives from the client is acknowledgements, and the server
 * goes on repeating what they acknowledge. */
static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct silence silence = signs_of_silence(c);
    bool unanswered = silence.kind == SILENCE_TOTAL && silence.retrier == SIDE_CLIENT;
    bool deaf = silence.held && silence.kind != SILENCE_TOTAL && silence.lost_from == SIDE_CLIENT;
    if ((!unanswered && !deaf) || surroundings_role(s, c) != CAPTURE_ROLE_SERVER)
        return false;
    if (signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    judgement->confidence = signs_of_missed_packets(c) ? 0.5 : 0.87;
    judgement->would_settle = SETTLE_BY_CLIENT_CAPTURE;
    judgement_prove(judgement, &silence.first, "the %s repeats a packet", unanswered ? "client" : "server");
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].last, "the last packet that arrives from the client");
    judgement_prove(judgement, &silence.last, "the last of %u repetitions", silence.retries);
    judgement_prove(judgement, &c->sides[silence.retrier].reset, "the %s gives up with a reset",
                    unanswered ? "client" : "server");
    double span_s = seconds(silence.last.time_ns - silence.first.time_ns);
    if (unanswered)
        judgement_say(judgement,
                      "The client's packet arrives at the server machine %u times more over %.1f s, and no "
                      "acknowledgement leaves it: something between its network card and its TCP drops what arrives.",
                      silence.retries, span_s);
    else
        judgement_say(judgement,
                      "The client's packets arrive at the server machine, but its TCP does not get them: over %.1f s "
                      "it repeats %u times what they acknowledge. Something between its network card and its TCP "
                      "drops what arrives.",
                      span_s, silence.retries);
    return true;
}

static const char *const actions[] = {
    ACTION_FILTER_DRIVERS,
    ACTION_FIREWALL_AUDIT,
    "See whether the network driver is old: `Get-NetAdapter | Format-List Name, DriverDescription, DriverDate, "
    "DriverVersion`.",
    "If an exception does not help, uninstall the filter product for a test and reboot.",
    NULL,
};

const struct detector server_no_ack = {
    .cause = "server.no-ack",
    .title = "Packets reach the server machine and nothing answers them",
    .holds_when =
        "In a capture taken on the server, the client repeats a packet three times or more to the end and the server "
        "sends nothing any more; or the server repeats a packet three times or more to the end although the client's "
        "acknowledgements of it are in the capture.",
    .means = "TCP itself acknowledges almost every packet, whatever the program does. A packet that is in the "
             "machine's own capture and gets no ACK was eaten between the network card and TCP: by antivirus, "
             "another filter driver, or the host's firewall. The network has delivered it. (Article, 1.5.11.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
