/* client.tls-settings, server.tls-settings: what the machine allows of TLS does not fit the other one. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    ACTION_TLS_VERSIONS,
    ACTION_TLS_SUITES,
    "Allow TLS 1.2 on the machine where it is off, for both roles: `reg add "
    "\"HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client\" /v Enabled "
    "/t REG_DWORD /d 1 /f`, the "
    "same with `\\Server`; and restart. Set `DisabledByDefault` to 0 in both where it exists.",
    "Use a driver that knows TLS 1.2: Microsoft ODBC Driver 17 or later, OLE DB Driver 18 or later. SQLOLEDB and the "
    "old \"SQL Server\" ODBC "
    "driver know what their Windows knows.",
    NULL,
};

const struct detector host_tls_settings[SIDES] = HOST_DETECTORS(
    "tls-settings", .title = "The machine's TLS settings do not fit the other side's",
    .holds_when = "The TLS versions that SQLCHECK calls effective on client and server have none in common; or their "
                  "cipher suites have none "
                  "in common (the policy's list counts where there is one); or the driver in use does not know TLS 1.2 "
                  "while the other "
                  "side asks for it.",
    .means = "Then every TLS handshake between the two ends at the ClientHello, also the short one that hides a login. "
             "It happens each time; "
             "where it comes and goes, several servers or clients with different settings stand behind one name. "
             "(Article, 1.5.3.)",
    .actions = actions,
    .unread_evidence = "SQLCHECK reports of both machines (TLS table, Cipher Suite Protocol Order, drivers)",
    .severity = SEVERITY_RISK);
