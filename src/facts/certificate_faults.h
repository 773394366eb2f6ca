/* What anybody can see to be wrong with the certificate that a server showed in clear. */
#ifndef TDSCOPE_CERTIFICATE_FAULTS_H
#define TDSCOPE_CERTIFICATE_FAULTS_H

#include "conversation.h"

struct certificate_faults {
    const struct tls_certificate
        *certificate;            /* NULL: encrypted (TLS 1.3), resumed, or not captured: nothing is known */
    bool expired, not_yet_valid; /* when it was shown, by the capture's clock */
    const char *asked;           /* the name that the client asked for (SNI); NULL: not known */
    bool name_differs;           /* it bears names, all are known, and none of them is that one */
};

/* Of the server's own certificate, by the capture's time of its ServerHello. */
struct certificate_faults certificate_faults_of(const struct conversation *conversation);

/* Dates, name, or nobody but its owner vouches for it. */
bool certificate_is_faulty(const struct certificate_faults *faults);

#endif
