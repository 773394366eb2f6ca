/* Names of enumerated facts, each table tied to its enumeration. */
#include "fact_names.h"

#include <assert.h>

#define ENTRIES(table) (sizeof(table) / sizeof *(table))
#define COVERS(table, last) static_assert(ENTRIES(table) == (last) + 1, #table " has to follow its enumeration")

static const char *const protocols[] = {[PROTOCOL_TCP] = "tcp", [PROTOCOL_TDS] = "tds", [PROTOCOL_TDS8] = "tds8"};
COVERS(protocols, PROTOCOL_TDS8);

static const char *const endings[] = {
    [ENDING_OPEN] = "open",       [ENDING_FIN] = "fin",         [ENDING_RESET] = "reset",
    [ENDING_TIMEOUT] = "timeout", [ENDING_REFUSED] = "refused", [ENDING_NO_ANSWER] = "no-answer",
};
COVERS(endings, ENDINGS - 1);

static const char *const stages[] = {
    [LOGIN_STAGE_UNKNOWN] = "unknown",
    [LOGIN_STAGE_SYN] = "syn",
    [LOGIN_STAGE_CONNECTED] = "connected",
    [LOGIN_STAGE_PRELOGIN] = "prelogin",
    [LOGIN_STAGE_TLS] = "tls",
    [LOGIN_STAGE_LOGIN] = "login",
    [LOGIN_STAGE_AUTHENTICATING] = "authenticating",
    [LOGIN_STAGE_DONE] = "done",
    [LOGIN_STAGE_REFUSED] = "refused",
};
COVERS(stages, LOGIN_STAGES - 1);

static const char *const encryptions[] = {
    [LOGIN_ENCRYPTION_UNKNOWN] = NULL, [LOGIN_ENCRYPTION_NONE] = "no",       [LOGIN_ENCRYPTION_LOGIN] = "login",
    [LOGIN_ENCRYPTION_FULL] = "full",  [LOGIN_ENCRYPTION_STRICT] = "strict",
};
COVERS(encryptions, LOGIN_ENCRYPTION_STRICT);

static const char *const authentications[] = {
    [LOGIN_AUTHENTICATION_UNKNOWN] = NULL, [LOGIN_SQL] = "sql", [LOGIN_NTLM] = "ntlm",
    [LOGIN_KERBEROS] = "kerberos",         [LOGIN_SSPI] = NULL, [LOGIN_ENTRA] = "entra",
};
COVERS(authentications, LOGIN_ENTRA);

static const char *const messages[] = {
    [TDS_BATCH] = "batch",       [TDS_OLD_LOGIN] = "old_login",     [TDS_RPC] = "rpc",
    [TDS_RESPONSE] = "response", [TDS_ATTENTION] = "attention",     [TDS_BULK] = "bulk",
    [TDS_FEDAUTH] = "fedauth",   [TDS_TRANSACTION] = "transaction", [TDS_LOGIN] = "login",
    [TDS_SSPI] = "sspi",         [TDS_PRELOGIN] = "prelogin",
};
COVERS(messages, TDS_MESSAGES - 1);

static const char *const capture_roles[] = {
    [CAPTURE_ROLE_UNKNOWN] = "unknown",
    [CAPTURE_ROLE_CLIENT] = "client",
    [CAPTURE_ROLE_SERVER] = "server",
    [CAPTURE_ROLE_MIDDLE] = "middle",
};
COVERS(capture_roles, CAPTURE_ROLE_MIDDLE);

static const char *const source_kinds[] = {
    [SOURCE_UNKNOWN] = "unknown",
    [SOURCE_NETSTAT] = "netstat",
    [SOURCE_SS] = "ss",
    [SOURCE_PORT_RANGE] = "port-range",
    [SOURCE_RING_BUFFER] = "ring-buffer",
    [SOURCE_ERRORLOG] = "errorlog",
    [SOURCE_SQLCHECK] = "sqlcheck",
    [SOURCE_FIREWALL_LOG] = "firewall-log",
    [SOURCE_EVENTS] = "events",
    [SOURCE_WFP] = "wfp",
    [SOURCE_PKTMON] = "pktmon",
    [SOURCE_ERROR_TEXT] = "error-text",
    [SOURCE_SQLNA_CSV] = "sqlna-csv",
    [SOURCE_SQLTRACE_LOG] = "sqltrace-log",
    [SOURCE_HOST_SETTINGS] = "host-settings",
    [SOURCE_IPCONFIG] = "ipconfig",
    [SOURCE_TASKLIST] = "tasklist",
};
COVERS(source_kinds, SOURCE_KINDS - 1);

static const char *const severities[] = {
    [SEVERITY_NOTE] = "note", [SEVERITY_RISK] = "risk", [SEVERITY_FAULT] = "fault"};
COVERS(severities, SEVERITY_FAULT);

static const char *const scopes[] = {
    [SCOPE_CONVERSATION] = "conversation", [SCOPE_CLIENT] = "client", [SCOPE_SERVER] = "server", [SCOPE_PATH] = "path",
    [SCOPE_CAPTURE] = "capture",           [SCOPE_HOST] = "host",
};
COVERS(scopes, SCOPES - 1);

static const char *const workflow_states[] = {
    [WORKFLOW_DONE] = "done",
    [WORKFLOW_NEEDS_EVIDENCE] = "needs-evidence",
    [WORKFLOW_DOES_NOT_APPLY] = "does-not-apply",
};
COVERS(workflow_states, WORKFLOW_STATES - 1);

const char *protocol_name(enum conversation_protocol protocol)
{
    return protocols[protocol];
}

const char *ending_name(enum conversation_ending ending)
{
    return endings[ending];
}

const char *login_stage_name(enum login_stage stage)
{
    return stages[stage];
}

const char *encryption_name(enum login_encryption encryption)
{
    return encryptions[encryption];
}

const char *authentication_name(enum login_authentication authentication)
{
    return authentications[authentication];
}

const char *message_name(enum tds_message message)
{
    return messages[message];
}

const char *capture_role_name(enum capture_role role)
{
    return capture_roles[role];
}

const char *source_kind_name(enum source_kind kind)
{
    return source_kinds[kind];
}

const char *severity_name(enum severity severity)
{
    return severities[severity];
}

const char *scope_name(enum finding_scope scope)
{
    return scopes[scope];
}

const char *workflow_state_name(enum workflow_state state)
{
    return workflow_states[state];
}
