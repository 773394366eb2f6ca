/* server.no-ack: packets reach the server machine, and nothing answers them. */
#include "actions.h"
#include "detector.h"
#include "signs.h"

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct silence silence = signs_of_silence(c);
    if (!silence.held || silence.retrier != SIDE_CLIENT || !silence.other_silent)
        return false;
    if (surroundings_role(s, c) != CAPTURE_ROLE_SERVER || signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    const struct tcp_side *peer = &c->sides[SIDE_CLIENT];
    judgement->confidence = signs_of_missed_packets(c) ? 0.5 : 0.87;
    if (!silence.keep_alives)
        judgement_prove(judgement, &peer->last_data, "a packet of the client arrives");
    judgement_prove(judgement, &silence.first, "it arrives again");
    judgement_prove(judgement, &silence.last, "the last of %u repetitions arrives, still without an answer",
                    silence.retries);
    judgement_say(judgement,
                  "The client's packets arrive at the server machine, %u times again over %.1f s, and no "
                  "acknowledgement leaves it: "
                  "something between its network card and its TCP drops them.",
                  silence.retries, seconds(silence.last.time_ns - silence.first.time_ns));
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
    .holds_when = "In a capture taken on the server, the client repeats a packet three times or more to the end, and "
                  "the server sends "
                  "nothing back any more.",
    .means = "TCP itself acknowledges almost every packet, whatever the program does. A packet that is in the "
             "machine's own capture "
             "and gets no ACK was eaten between the network card and TCP: by antivirus, another filter driver, or the "
             "host's "
             "firewall. The network has delivered it. (Article, 1.5.11.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
