/* client.port-range, server.port-range: the machine has few ephemeral ports, or keeps closed ones for long. */
#include <string.h>

#include "actions.h"
#include "finding_list.h"
#include "host_survey.h"

static const char exhaustion[] = "client.port-exhaustion";

enum { LONGEST_WAIT_S = 240, USUAL_WAIT_WINDOWS_S = 240, USUAL_WAIT_S = 60 };

/* How many ports a system has when nobody changed it. */
static int64_t usual_ports(enum machine_system system)
{
    static const int64_t ports[] = {[SYSTEM_UNKNOWN] = 16384,
                                    [SYSTEM_WINDOWS] = 16384,
                                    [SYSTEM_LINUX] = 28232,
                                    [SYSTEM_BSD] = 16384,
                                    [SYSTEM_MACOS] = 16384};
    return ports[system];
}

/* The packets show that the machine ran out of ports. */
static void explain(struct survey *survey, const struct host *host, struct finding *finding)
{
    for (uint32_t i = 0; i < survey->judge->finding_count; i++) {
        const struct finding *other = &survey->judge->findings[i];
        if (strcmp(other->detector->cause, exhaustion) != 0 || host->side != SIDE_CLIENT ||
            (host->address.version != 0 && !address_equal(&host->address, &other->client)))
            continue;
        finding->explains = other->detector;
        finding->explained = other->concerned;
        judgement_say_more(&finding->example, "The packets show that it ran out of them, or nearly.");
        return;
    }
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    char words[HOST_TEXT_SIZE];
    const struct setting_record *count = host_setting(survey, host, SETTING_PORTS_COUNT, 0);
    const struct setting_record *first = host_setting(survey, host, SETTING_PORTS_FIRST, 0);
    const struct setting_record *wait = host_setting(survey, host, SETTING_TIME_WAIT_S, 0);
    const struct setting_record *reused = host_setting(survey, host, SETTING_PORTS_REUSED, 0);
    bool few = count && count->value < usual_ports(host->system), slow = wait && wait->value > LONGEST_WAIT_S;
    if (!few && !slow)
        return;
    struct finding *finding = host_survey_add(survey, host);
    int64_t ports = count ? count->value : usual_ports(host->system);
    int64_t wait_s = wait ? wait->value : host->system == SYSTEM_WINDOWS ? USUAL_WAIT_WINDOWS_S : USUAL_WAIT_S;
    double rate = (double)ports / (double)(wait_s > 0 ? wait_s : 1);
    if (reused && reused->value != 0)
        finding->severity = SEVERITY_NOTE; /* then TIME_WAIT keeps a port for a second */
    finding->example.confidence = 0.9;
    if (count)
        judgement_prove(&finding->example, &count->at, "%d outbound ports, from %d on", (int)ports,
                        first ? (int)first->value : 0);
    if (slow)
        judgement_prove(&finding->example, &wait->at, "a closed connection keeps its port for %d s", (int)wait_s);
    finding_measure(finding, "ports_in_range", (double)ports);
    finding_measure(finding, "time_wait_s", (double)wait_s);
    finding_measure(finding, "connections_per_second", rate);
    judgement_say(&finding->example,
                  "%s has %d outbound ports and keeps each for %s%d s after the close: %.1f new connections a second "
                  "are as many as it can hold.",
                  host_words(host, words), (int)ports, wait ? "" : "the system's usual ", (int)wait_s, rate);
    explain(survey, host, finding);
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    ACTION_PORT_RANGE, ACTION_WIDEN_RANGE, ACTION_SHORTEN_TIME_WAIT, ACTION_POOLING, NULL,
};

const struct detector host_port_range[SIDES] = HOST_DETECTORS(
    "port-range", .title = "The machine has few outbound ports, or keeps closed ones for long",
    .holds_when = "SQLCHECK, netsh or sysctl shows a dynamic port range smaller than the system's default (Windows "
                  "16384 ports from 49152 on, Linux 28232 from 32768 on), or a TcpTimedWaitDelay of more than 240 s. A "
                  "note only, where Linux uses ports in TIME_WAIT again (tcp_tw_reuse).",
    .means = "Each outbound connection takes a port, and its closer keeps it in TIME_WAIT: range divided by that time "
             "is the rate of new connections that the machine can hold, 16384 / 240 s = 68 a second. All programs and "
             "destinations share it. When it is used up, connects fail or wait without a packet on the wire "
             "(client.port-exhaustion). (Article, 1.5.8, 1.5.9 and 1.6.1.)",
    .actions = actions, .severity = SEVERITY_RISK, .survey = survey_machines);
