/* Names are compared as RFC 6125, 6.4 says: alternative names before the common name, `*` for one whole first label. */
#include "certificate_faults.h"

#include <string.h>

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

static bool name_covers(const char *name, const char *asked)
{
    const char *rest = strchr(asked, '.');
    if (name[0] == '*' && name[1] == '.' && rest && rest > asked)
        return same_name(name + 1, rest);
    return same_name(name, asked);
}

static bool names_cover(const struct tls_certificate *certificate, const char *asked)
{
    for (unsigned i = 0; i < certificate->name_count; i++)
        if (name_covers(certificate->names[i], asked))
            return true;
    return certificate->name_count == 0 && certificate->common_name && name_covers(certificate->common_name, asked);
}

struct certificate_faults certificate_faults_of(const struct conversation *c)
{
    struct certificate_faults faults = {0};
    const struct tls_facts *tls = c->tds ? c->tds->tls : NULL;
    const struct tls_certificate *certificate = tls && tls->chain_length > 0 ? tls->chain[0] : NULL;
    if (!certificate || !certificate->readable)
        return faults;
    faults.certificate = certificate;
    int64_t shown_s = c->tds->steps[LOGIN_STEP_SERVER_HELLO].time_ns / NS_PER_SECOND;
    faults.expired = certificate->not_after[0] != '\0' && shown_s > certificate->not_after_s;
    faults.not_yet_valid = certificate->not_before[0] != '\0' && shown_s < certificate->not_before_s;
    faults.asked = tls->server_name;
    bool named = certificate->name_count > 0 || certificate->common_name;
    faults.name_differs =
        faults.asked && named && certificate->names_beyond == 0 && !names_cover(certificate, faults.asked);
    return faults;
}

bool certificate_is_faulty(const struct certificate_faults *faults)
{
    return faults->certificate && (faults->expired || faults->not_yet_valid || faults->name_differs ||
                                   faults->certificate->self_signed || faults->certificate->sql_self_signed);
}
