/* server.no-ack: packets reach the server machine, and nothing answers them. */
#include "actions.h"
#include "detector.h"
#include "one_sided.h"

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    return one_sided_no_ack(c, s, SIDE_SERVER, judgement);
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    return one_sided_no_ack_by_both(view, s, SIDE_SERVER, judgement);
}

static const char *const actions[] = {
    ACTION_FILTER_DRIVERS, ACTION_FIREWALL_AUDIT, ACTION_NETWORK_DRIVER, ACTION_UNINSTALL_FILTER, NULL,
};

const struct detector server_no_ack = {
    .cause = "server.no-ack",
    .title = "Packets reach the server machine and nothing answers them",
    .holds_when =
        "In a capture taken on the server, one of these. A packet of the client and three copies or more arrive over a "
        "second and more before it is acknowledged. Or the client repeats a packet three times or more to the end and "
        "the server sends nothing any more (a server that resets again and again meanwhile answers). Or the server "
        "repeats a packet three times or more to the end although the client's acknowledgements of it are in the "
        "capture. Or a reset leaves the machine, over as many hops as its other packets, and its TCP goes on with the "
        "connection. A capture that only looks as if it was taken there leaves the culprit open: say so with "
        "`--server`. "
        "So does a server that may have given up, and whose reset the capture lacks: it stopped repeating what was not "
        "acknowledged, or it had waited for 2 s or more (--slow-login) for an answer to its last data. So do "
        "repetitions that end without a reset, though one was due, and so few that a capture which misses packets of "
        "this machine in other connections may have missed all answers. Where no copy of the packet was captured "
        "whole, it may have come damaged, and TCP drops it: that makes it less sure, and leaves the culprit open when "
        "another packet from there came damaged, when none as large was acknowledged, or when a copy was in the end. "
        "Not where the capture leaves out acknowledgements alone: it has none of this machine, though some were due, "
        "or none of anybody, or in this connection none of the client, not even the handshake's last.",
    .holds_with_both = "The same, and the client's capture, which went on, shows those packets leave and no answer "
                       "come; the server's capture missed no packet of this connection.",
    .means = "TCP itself acknowledges almost every packet, whatever the program does; several at once in a large "
             "transfer, but one that is repeated at once (RFC 9293, 3.10.7.4). A packet that is in the machine's own "
             "capture and gets no ACK was eaten between the network card and TCP: by antivirus, another filter driver, "
             "or the host's firewall. The network has delivered it. (Article, 1.5.11.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
    .judge_pair = judge_pair,
};
