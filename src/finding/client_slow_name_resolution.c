/* client.slow-name-resolution: the client waited for its server's address before it could connect. */
#include <stdio.h>

#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "signs.h"

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct name_wait wait;
    if (!c->starts_with_syn || !conversation_established(c) || !signs_of_sql(c, s) || signs_of_one_direction(c) ||
        !signs_of_name_wait(c, s, &wait))
        return false;
    const struct exchange_facts *first = &wait.first->exchange, *last = &wait.last->exchange;
    char server[ENDPOINT_TEXT_SIZE], after[COUNT_TEXT_SIZE + 16] = "";
    endpoint_text(&last->server, server);
    judgement->confidence = 0.85;
    if (signs_of_login_done(c))
        judgement->severity = SEVERITY_RISK;
    judgement_prove(judgement, &first->asked, "the client asks for the address of %.80s", wait.first->name);
    if (last->tries > 1)
        judgement_prove(judgement, &last->last_asked, "it asks again");
    judgement_prove(judgement, &last->answered, "the answer comes from %s", server);
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].syn, "now the client connects");
    if (wait.unanswered + wait.refused > 0)
        snprintf(after, sizeof after, ", %s in vain", count_words(wait.unanswered + wait.refused, "lookup").text);
    judgement_say(judgement,
                  "Before it could connect, the client looked for the address of %.80s for %.1f s (%s%s). Its "
                  "connection time-out ran meanwhile%s.",
                  wait.last->name, seconds(wait.wait_ns), count_words(wait.tries, "question").text, after,
                  signs_of_login_done(c) ? "; this time there was enough of it left" : "");
    return true;
}

static const char *const actions[] = {
    "Measure it on the client, against each of its name servers: `Measure-Command { Resolve-DnsName SERVER -DnsOnly "
    "}`, `Resolve-DnsName SERVER -Server ADDRESS`; on Linux `time getent ahosts SERVER`, `dig SERVER @ADDRESS`.",
    "See which name servers and suffixes the client asks, and in which order: `Get-DnsClientServerAddress; "
    "Get-DnsClientGlobalSetting`, on Linux `resolvectl status` or `cat /etc/resolv.conf`. Take out servers that do not "
    "answer.",
    "Write the full name with its domain in the connection string, so that no suffix has to be tried.",
    "See whether only the question for IPv6 (AAAA) is left unanswered: some firewalls drop it.",
    "As a test, an entry in the hosts file takes name resolution out: `%SystemRoot%\\System32\\drivers\\etc\\hosts`, "
    "`/etc/hosts`.",
    NULL,
};

const struct detector client_slow_name_resolution = {
    .cause = "client.slow-name-resolution",
    .title = "The client waits for its server's address",
    .holds_when = "Two seconds or more pass between the client's first question for the server's name (DNS, LLMNR, "
                  "mDNS) and its SYN, which follows the last answer, or its time-out, at once. Lookups of one name "
                  "that follow each other count together. A risk where the login then succeeded, a fault where it did "
                  "not. (--slow-login sets the two seconds.)",
    .means =
        "Before the first packet to the server a program asks for its address, within the same connection time-out. A "
        "name server that is far, overloaded or gone makes every new connection slow, and some run out of time before "
        "they begin: handshake, and the client closes. The SQL Server has no part in it. (Article, 1.5.5.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .yields = true,
    .judge = judge,
};
