/* client.tls-settings, server.tls-settings: what the machine allows of TLS does not fit the other one. */
#include <string.h>

#include "actions.h"
#include "host_survey.h"

static const char *const symptoms[] = {"server.tls-refused", NULL};

enum { TLS_1_2 = 1 << 3 }; /* tls_version_bit() */

/* What the machine allows in the role of that side; 0: not told, or nothing. told: a line that says so. */
static uint8_t versions_of(const struct survey *survey, const struct host *host, struct moment *told)
{
    enum machine_setting setting = host->side == SIDE_CLIENT ? SETTING_TLS_CLIENT : SETTING_TLS_SERVER;
    const struct setting_record *record;
    uint8_t bits = 0;
    for (uint32_t n = 0; (record = host_setting(survey, host, setting, n)); n++) {
        uint8_t bit = record->value > 0 ? tls_version_bit((uint16_t)record->value) : 0;
        if (bit > bits)
            *told = record->at; /* of the newest that is allowed */
        bits |= bit;
    }
    return bits;
}

static const char *newest_version(uint8_t bits)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    int newest = 4;
    while (newest > 0 && !(bits >> newest & 1))
        newest--;
    return names[newest];
}

static uint8_t offered(const struct conversation *c)
{
    return c->tds && c->tds->tls ? c->tds->tls->versions_offered : 0;
}

static bool offers_other_versions(const struct survey *survey, const struct host *host, const struct conversation *c)
{
    struct moment told;
    return offered(c) && !(offered(c) & versions_of(survey, host, &told));
}

static bool offers_common_version(const struct survey *survey, const struct host *host, const struct conversation *c)
{
    struct moment told;
    return offered(c) & versions_of(survey, host, &told);
}

/* The policy's list of cipher suites, where there is one, else the registry's: which of the two; -1: none is told. */
static int64_t list_in_force(const struct survey *survey, const struct host *host)
{
    int64_t list = -1;
    const struct setting_record *record;
    for (uint32_t n = 0; (record = host_setting(survey, host, SETTING_CIPHER_SUITE, n)); n++)
        list = record->value > list ? record->value : list;
    return list;
}

static bool allows_suite(const struct survey *survey, const struct host *host, int64_t list, const char *name)
{
    const struct setting_record *record;
    for (uint32_t n = 0; (record = host_setting(survey, host, SETTING_CIPHER_SUITE, n)); n++)
        if (record->value == list && strcmp(record->text, name) == 0)
            return true;
    return false;
}

/* Both tell their suites, and have none in common. */
static bool suites_differ(const struct survey *survey, const struct host *host, const struct host *other)
{
    int64_t list = list_in_force(survey, host), others = list_in_force(survey, other);
    const struct setting_record *record;
    if (list < 0 || others < 0)
        return false;
    for (uint32_t n = 0; (record = host_setting(survey, host, SETTING_CIPHER_SUITE, n)); n++)
        if (record->value == list && allows_suite(survey, other, others, record->text))
            return false;
    return true;
}

static struct finding *add(struct survey *survey, const struct host *host, double confidence)
{
    struct finding *finding = host_survey_add(survey, host);
    struct moment told = {0};
    uint8_t own = versions_of(survey, host, &told);
    finding->example.confidence = confidence;
    judgement_prove(&finding->example, &told, "%s is the newest version that the %s allows", newest_version(own),
                    side_name(host->side));
    return finding;
}

static void say_versions(struct survey *survey, const struct host *host, const struct host *other)
{
    char words[HOST_TEXT_SIZE];
    struct moment told = {0};
    uint8_t own = versions_of(survey, host, &told), others = versions_of(survey, other, &told);
    struct finding *finding = add(survey, host, 0.95);
    judgement_prove(&finding->example, &told, "%s is the newest version that the other side allows",
                    newest_version(others));
    host_survey_explain(survey, host, finding, symptoms, NULL);
    judgement_say(&finding->example,
                  "%s does not allow TLS 1.2 (at most %s), and the other side's machine allows none of its versions.",
                  host_words(host, words), newest_version(own));
}

static void say_suites(struct survey *survey, const struct host *host, const struct host *other)
{
    char words[HOST_TEXT_SIZE];
    const struct setting_record *own = host_setting(survey, host, SETTING_CIPHER_SUITE, 0),
                                *others = host_setting(survey, other, SETTING_CIPHER_SUITE, 0);
    struct finding *finding = add(survey, host, 0.9);
    judgement_prove(&finding->example, &own->at, "the server's list of cipher suites begins");
    judgement_prove(&finding->example, &others->at, "the client's list begins");
    host_survey_explain(survey, host, finding, symptoms, NULL);
    judgement_say(&finding->example, "%s and the client's have a TLS version in common, but no cipher suite.",
                  host_words(host, words));
}

/* What single ClientHellos tell of the client, where its machine's report is missing. */
static void judge_by_packets(struct survey *survey, const struct host *host, uint8_t own, bool other_told)
{
    char words[HOST_TEXT_SIZE];
    if (!other_told && !(own & TLS_1_2) &&
        host_survey_explain(survey, host, NULL, symptoms, offers_other_versions) > 0) {
        struct finding *finding = add(survey, host, 0.95);
        host_survey_explain(survey, host, finding, symptoms, offers_other_versions);
        judgement_say(&finding->example,
                      "%s allows at most %s, and the clients whose TLS it refused offer none of its versions.",
                      host_words(host, words), newest_version(own));
    } else if (host_survey_explain(survey, host, NULL, symptoms, offers_common_version) > 0) {
        struct finding *finding = add(survey, host, 0.7);
        host_survey_explain(survey, host, finding, symptoms, offers_common_version);
        judgement_say(&finding->example,
                      "%s allows a TLS version that the refused clients offer: it is their cipher suites, hashes or "
                      "curves that do not fit.",
                      host_words(host, words));
    }
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    struct moment told;
    uint8_t own = versions_of(survey, host, &told);
    bool other_told = false;
    if (own == 0)
        return;
    for (uint32_t i = 0; i < survey->hosts->count; i++) {
        const struct host *other = &survey->hosts->list[i];
        uint8_t others = other->side != host->side ? versions_of(survey, other, &told) : 0;
        other_told = other_told || others;
        if (others && !(own & others) && !(own & TLS_1_2)) {
            say_versions(survey, host, other);
            return;
        }
        if ((own & others) && host->side == SIDE_SERVER && suites_differ(survey, host, other)) {
            say_suites(survey, host, other);
            return;
        }
    }
    if (host->side == SIDE_SERVER)
        judge_by_packets(survey, host, own, other_told);
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    ACTION_TLS_VERSIONS,
    ACTION_TLS_SUITES,
    "Allow TLS 1.2 on the machine where it is off, for both roles: `reg add "
    "\"HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client\" /v Enabled "
    "/t REG_DWORD /d 1 /f`, the same with `\\Server`; and restart. Set `DisabledByDefault` to 0 in both where it "
    "exists.",
    "Use a driver that knows TLS 1.2: Microsoft ODBC Driver 17 or later, OLE DB Driver 18 or later. SQLOLEDB and the "
    "old \"SQL Server\" ODBC driver know what their Windows knows.",
    NULL,
};

const struct detector host_tls_settings[SIDES] = HOST_DETECTORS(
    "tls-settings", .title = "The machine's TLS settings do not fit the other side's",
    .holds_when = "The TLS versions that SQLCHECK calls effective on client and server have none in common, and this "
                  "machine lacks TLS 1.2; or the server's report alone has none of the versions that refused clients "
                  "offer in the packets. Or the versions agree and the cipher suites have none in common (the policy's "
                  "list counts where there is one); or a client was refused although the versions agree.",
    .means = "Then every TLS handshake between the two ends at the ClientHello, also the short one that hides a login. "
             "It happens each time; where it comes and goes, several servers or clients with different settings stand "
             "behind one name. (Article, 1.5.3.)",
    .actions = actions, .severity = SEVERITY_RISK, .survey = survey_machines);
