/* client.keep-alive-settings, server.keep-alive-settings: keep-alives or retries were set to other values. */
#include "actions.h"
#include "host_survey.h"

static const char *const symptoms[] = {"network.idle-drop", NULL};

enum {
    USUAL_IDLE_MS = KEEP_ALIVE_NS / NS_PER_MS,
    USUAL_EVERY_MS = 1000,
    LEAST_RETRIES = 4,
    MOST_RETRIES = 8,
    TWO_HOURS_MS = 7200000
};

/* Of a driver or an instance, which have their own. */
static bool is_other_idle(const struct setting_record *record)
{
    return record->text && record->value != USUAL_IDLE_MS;
}

static bool is_other_interval(const struct setting_record *record)
{
    return record->text && record->value != USUAL_EVERY_MS;
}

static bool is_other(const struct setting_record *record, enum machine_system system)
{
    switch (record->setting) {
    case SETTING_KEEP_ALIVE_MS:
        return is_other_idle(record);
    case SETTING_KEEP_ALIVE_EVERY_MS:
        return is_other_interval(record);
    default:
        /* tcp(7) of Linux: less than 8 is less than the 100 s of RFC 1122, 4.2.3.5. */
        return record->value < (system == SYSTEM_LINUX ? MOST_RETRIES : LEAST_RETRIES) ||
               (system != SYSTEM_LINUX && record->value > MOST_RETRIES);
    }
}

static void prove(struct judgement *judgement, const struct setting_record *record)
{
    if (record->setting == SETTING_RETRANSMISSIONS)
        judgement_prove(judgement, &record->at, "data is repeated %d times at most", (int)record->value);
    else
        judgement_prove(judgement, &record->at, "%s: %s %d ms", record->text ? record->text : "the system",
                        record->setting == SETTING_KEEP_ALIVE_MS ? "keep-alives after" : "the next one after",
                        (int)record->value);
}

/* Sent no keep-alive: its program relies on the system, or asked for none. */
static bool is_silent(const struct survey *survey, const struct host *host, const struct conversation *c)
{
    (void)survey;
    return c->sides[host->side].keep_alives == 0;
}

/* The system's own idle time, where it is two hours or more; NULL: it is shorter, or not told. */
static const struct setting_record *long_idle_time(const struct survey *survey, const struct host *host)
{
    const struct setting_record *record;
    for (uint32_t n = 0; (record = host_setting(survey, host, SETTING_KEEP_ALIVE_MS, n)); n++)
        if (!record->text)
            return record->value >= TWO_HOURS_MS ? record : NULL;
    return NULL;
}

/* Proves what was changed; returns how many settings were. finding NULL: only counts. */
static uint32_t changed_settings(const struct survey *survey, const struct host *host, struct finding *finding)
{
    static const enum machine_setting kinds[] = {SETTING_KEEP_ALIVE_MS, SETTING_KEEP_ALIVE_EVERY_MS,
                                                 SETTING_RETRANSMISSIONS};
    uint32_t changed = 0;
    const struct setting_record *record;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (uint32_t n = 0; (record = host_setting(survey, host, kinds[i], n)); n++) {
            if (!is_other(record, host->system))
                continue;
            changed++;
            if (finding)
                prove(&finding->example, record);
        }
    return changed;
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    char words[HOST_TEXT_SIZE];
    const struct setting_record *system = long_idle_time(survey, host);
    bool relies = system && host_survey_explain(survey, host, NULL, symptoms, is_silent) > 0;
    uint32_t changed = changed_settings(survey, host, NULL);
    if (changed == 0 && !relies)
        return;
    struct finding *finding = host_survey_add(survey, host);
    changed_settings(survey, host, finding);
    if (relies)
        prove(&finding->example, system);
    uint32_t suspected = host_survey_explain(survey, host, finding, symptoms, changed > 0 ? NULL : is_silent);
    finding->example.confidence = suspected > 0 ? 0.8 : 0.6;
    if (changed > 0)
        judgement_say(&finding->example, "%s has %u setting%s of keep-alives or retries that %s not the usual.",
                      host_words(host, words), changed, changed == 1 ? "" : "s", changed == 1 ? "is" : "are");
    else
        judgement_say(&finding->example,
                      "%s sends keep-alives after %d s where its program does not ask for sooner ones, and its "
                      "connections sent none.",
                      host_words(host, words), (int)(system->value / 1000));
    if (suspected > 0)
        judgement_say_more(&finding->example, "The path forgot idle connections of it.");
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    "See the values of Windows: `reg query HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters` "
    "(KeepAliveTime, KeepAliveInterval, TcpMaxDataRetransmissions; what is not there has its default), `netsh int tcp "
    "show global`.",
    "See those of the client's driver: `reg query HKLM\\SOFTWARE\\Microsoft\\MSSQLServer\\Client /s` (under SNI..., "
    "tcp: Property2 is the keep-alive time, Property3 the interval, in ms). Of SQL Server: Configuration Manager, "
    "Protocols, TCP/IP, Keep Alive.",
    "See those of Linux: `sysctl net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl "
    "net.ipv4.tcp_keepalive_probes net.ipv4.tcp_retries2`, and whether the connections use them: `ss -tno dport = "
    ":1433` (timer:(keepalive,...)).",
    "Put them back: 30000 ms and 1000 ms for driver and server, five retransmissions; keep-alives must come more often "
    "than the shortest idle time-out of the devices on the way.",
    NULL,
};

const struct detector host_keep_alive_settings[SIDES] = HOST_DETECTORS(
    "keep-alive-settings", .title = "The machine's keep-alives or retries were changed",
    .holds_when = "SQLCHECK shows a keep-alive interval of driver or instance other than 30000 ms, a retry interval "
                  "other than 1000 ms, or TCPMaxDataRetransmissions below 4 or above 8; or sysctl shows tcp_retries2 "
                  "below 8, or keep-alives after two hours where a connection was forgotten that sent none.",
    .means =
        "Keep-alives let devices on the way know that an idle connection lives, and let the two ends notice that it is "
        "dead. Sent too seldom, firewalls and load balancers forget pooled connections (network.idle-drop); with too "
        "few retries a short interruption ends connections that would have survived it. (Article, 1.5.4.)",
    .actions = actions, .severity = SEVERITY_RISK, .survey = survey_machines);
