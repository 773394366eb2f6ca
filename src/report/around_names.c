/* IANA "DNS parameters" and RFC 4120, 7.5.9 (with RFC 4556 and MS-KILE additions) as tables. */
#include "around_names.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define ENTRIES(table) (sizeof(table) / sizeof *(table))

static const char *const services[] = {
    [NAME_SERVICE_DNS] = "dns", [NAME_SERVICE_LLMNR] = "llmnr", [NAME_SERVICE_MDNS] = "mdns"};
static_assert(ENTRIES(services) == NAME_SERVICES, "a name for each service");

static const char *const questions[] = {
    [INSTANCE_QUESTION_UNKNOWN] = NULL, [INSTANCE_QUESTION_BROADCAST] = "broadcast",
    [INSTANCE_QUESTION_ALL] = "all",    [INSTANCE_QUESTION_ONE] = "one",
    [INSTANCE_QUESTION_DAC] = "dac",
};
static_assert(ENTRIES(questions) == INSTANCE_QUESTIONS, "a name for each question");

static const char *const kinds[] = {[TICKET_KIND_UNKNOWN] = NULL, [TICKET_GRANTING] = "as", [TICKET_SERVICE] = "tgs"};
static_assert(ENTRIES(kinds) == TICKET_KINDS, "a name for each kind");

static const char *const controllers[] = {
    [CONTROLLER_KERBEROS] = "kerberos",
    [CONTROLLER_RPC] = "rpc",
    [CONTROLLER_LDAP] = "ldap",
    [CONTROLLER_SMB] = "smb",
    [CONTROLLER_LDAPS] = "ldaps",
    [CONTROLLER_CATALOG] = "global-catalog",
    [CONTROLLER_CATALOGS] = "global-catalog-tls",
};
static_assert(ENTRIES(controllers) == CONTROLLER_SERVICES, "a name for each service");

static const char *const rcodes[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
                                     "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "DSOTYPENI"};
static const char *const opcodes[] = {"QUERY", "IQUERY", "STATUS", NULL, "NOTIFY", "UPDATE", "DSO"};

struct numbered {
    int32_t number;
    const char *name;
};

static const struct numbered types[] = {
    {1, "A"},      {2, "NS"},      {5, "CNAME"}, {6, "SOA"},    {12, "PTR"},   {15, "MX"},
    {16, "TXT"},   {28, "AAAA"},   {33, "SRV"},  {35, "NAPTR"}, {43, "DS"},    {46, "RRSIG"},
    {47, "NSEC"},  {48, "DNSKEY"}, {64, "SVCB"}, {65, "HTTPS"}, {249, "TKEY"}, {250, "TSIG"},
    {251, "IXFR"}, {252, "AXFR"},  {255, "ANY"}, {257, "CAA"},
};

static const struct numbered kerberos_errors[] = {
    {0, "KDC_ERR_NONE"},
    {1, "KDC_ERR_NAME_EXP"},
    {2, "KDC_ERR_SERVICE_EXP"},
    {3, "KDC_ERR_BAD_PVNO"},
    {4, "KDC_ERR_C_OLD_MAST_KVNO"},
    {5, "KDC_ERR_S_OLD_MAST_KVNO"},
    {6, "KDC_ERR_C_PRINCIPAL_UNKNOWN"},
    {7, "KDC_ERR_S_PRINCIPAL_UNKNOWN"},
    {8, "KDC_ERR_PRINCIPAL_NOT_UNIQUE"},
    {9, "KDC_ERR_NULL_KEY"},
    {10, "KDC_ERR_CANNOT_POSTDATE"},
    {11, "KDC_ERR_NEVER_VALID"},
    {12, "KDC_ERR_POLICY"},
    {13, "KDC_ERR_BADOPTION"},
    {14, "KDC_ERR_ETYPE_NOSUPP"},
    {15, "KDC_ERR_SUMTYPE_NOSUPP"},
    {16, "KDC_ERR_PADATA_TYPE_NOSUPP"},
    {17, "KDC_ERR_TRTYPE_NOSUPP"},
    {18, "KDC_ERR_CLIENT_REVOKED"},
    {19, "KDC_ERR_SERVICE_REVOKED"},
    {20, "KDC_ERR_TGT_REVOKED"},
    {21, "KDC_ERR_CLIENT_NOTYET"},
    {22, "KDC_ERR_SERVICE_NOTYET"},
    {23, "KDC_ERR_KEY_EXPIRED"},
    {24, "KDC_ERR_PREAUTH_FAILED"},
    {25, "KDC_ERR_PREAUTH_REQUIRED"},
    {26, "KDC_ERR_SERVER_NOMATCH"},
    {27, "KDC_ERR_MUST_USE_USER2USER"},
    {28, "KDC_ERR_PATH_NOT_ACCEPTED"},
    {29, "KDC_ERR_SVC_UNAVAILABLE"},
    {31, "KRB_AP_ERR_BAD_INTEGRITY"},
    {32, "KRB_AP_ERR_TKT_EXPIRED"},
    {33, "KRB_AP_ERR_TKT_NYV"},
    {34, "KRB_AP_ERR_REPEAT"},
    {35, "KRB_AP_ERR_NOT_US"},
    {36, "KRB_AP_ERR_BADMATCH"},
    {37, "KRB_AP_ERR_SKEW"},
    {38, "KRB_AP_ERR_BADADDR"},
    {39, "KRB_AP_ERR_BADVERSION"},
    {40, "KRB_AP_ERR_MSG_TYPE"},
    {41, "KRB_AP_ERR_MODIFIED"},
    {42, "KRB_AP_ERR_BADORDER"},
    {44, "KRB_AP_ERR_BADKEYVER"},
    {45, "KRB_AP_ERR_NOKEY"},
    {46, "KRB_AP_ERR_MUT_FAIL"},
    {47, "KRB_AP_ERR_BADDIRECTION"},
    {48, "KRB_AP_ERR_METHOD"},
    {49, "KRB_AP_ERR_BADSEQ"},
    {50, "KRB_AP_ERR_INAPP_CKSUM"},
    {51, "KRB_AP_PATH_NOT_ACCEPTED"},
    {52, "KRB_ERR_RESPONSE_TOO_BIG"},
    {60, "KRB_ERR_GENERIC"},
    {61, "KRB_ERR_FIELD_TOOLONG"},
    {62, "KDC_ERR_CLIENT_NOT_TRUSTED"},
    {63, "KDC_ERR_KDC_NOT_TRUSTED"},
    {64, "KDC_ERR_INVALID_SIG"},
    {65, "KDC_ERR_KEY_TOO_WEAK"},
    {66, "KDC_ERR_CERTIFICATE_MISMATCH"},
    {67, "KRB_AP_ERR_NO_TGT"},
    {68, "KDC_ERR_WRONG_REALM"},
    {69, "KRB_AP_ERR_USER_TO_USER_REQUIRED"},
    {70, "KDC_ERR_CANT_VERIFY_CERTIFICATE"},
    {71, "KDC_ERR_INVALID_CERTIFICATE"},
    {72, "KDC_ERR_REVOKED_CERTIFICATE"},
    {73, "KDC_ERR_REVOCATION_STATUS_UNKNOWN"},
    {75, "KDC_ERR_CLIENT_NAME_MISMATCH"},
    {76, "KDC_ERR_KDC_NAME_MISMATCH"},
};

static const char *numbered_name(const struct numbered *table, size_t entries, int32_t number)
{
    for (size_t i = 0; i < entries; i++)
        if (table[i].number == number)
            return table[i].name;
    return NULL;
}

static const char *name_or_number(const char *name, const char *prefix, int32_t number,
                                  char text[static AROUND_NAME_SIZE])
{
    if (name)
        snprintf(text, AROUND_NAME_SIZE, "%s", name);
    else
        snprintf(text, AROUND_NAME_SIZE, "%s%" PRId32, prefix, number);
    return text;
}

const char *name_service_name(enum name_service service)
{
    return services[service];
}

const char *instance_question_name(enum instance_question question)
{
    return questions[question];
}

const char *ticket_kind_name(enum ticket_kind kind)
{
    return kinds[kind];
}

const char *controller_service_name(enum controller_service service)
{
    return controllers[service];
}

const char *dns_type_name(uint16_t type, char text[static AROUND_NAME_SIZE])
{
    return name_or_number(numbered_name(types, ENTRIES(types), type), "TYPE", type, text);
}

const char *dns_rcode_name(uint8_t rcode, char text[static AROUND_NAME_SIZE])
{
    return name_or_number(rcode < ENTRIES(rcodes) ? rcodes[rcode] : NULL, "RCODE", rcode, text);
}

const char *dns_opcode_name(uint8_t opcode, char text[static AROUND_NAME_SIZE])
{
    return name_or_number(opcode < ENTRIES(opcodes) ? opcodes[opcode] : NULL, "OPCODE", opcode, text);
}

const char *kerberos_error_name(int32_t code, char text[static AROUND_NAME_SIZE])
{
    return name_or_number(numbered_name(kerberos_errors, ENTRIES(kerberos_errors), code), "error ", code, text);
}
