/* client.dhe-enabled, server.dhe-enabled: TLS_DHE cipher suites are allowed on a machine whose Windows has the defect. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    ACTION_DISABLE_DHE,
    ACTION_FIXED_WINDOWS,
    NULL,
};

const struct detector host_dhe_enabled[SIDES] = HOST_DETECTORS(
    "dhe-enabled", .title = "TLS_DHE cipher suites are allowed, and the Windows build has their defect",
    .holds_when = "SQLCHECK says \"Diffie-Hellman cipher suites are enabled\", and the Windows of this machine or of "
                  "the other one lacks the "
                  "fix: 2012 R2 and older, Windows 7 to 8.1, Windows 10 1507, Server 2016 before build 14393.3542.",
    .means = "With such a pair about one handshake in 256 that uses TLS_DHE fails, because the two compute with "
             "different leading zeros. It "
             "looks random. Allowing these suites is a risk; the failed handshake itself is the cause "
             "server.dhe-defect. (Article, 1.5.3.)",
    .actions = actions, .unread_evidence = "SQLCHECK reports (Diffie-Hellman sentence, Windows Version)",
    .severity = SEVERITY_RISK);
