/* Reading Kerberos messages (RFC 4120: 5.2 names, 5.3 tickets, 5.4 KDC exchanges, 5.9 errors; tags in appendix A). */
#include "kerberos_message.h"

#include "der.h"

enum { APPLICATION_TICKET = DER_APPLICATION | 1, NAME_STRING = DER_CONTEXT | 1 };

bool kerberos_plausible(struct span first_bytes)
{
    return first_bytes.size > 0 && first_bytes.data[0] > DER_APPLICATION && first_bytes.data[0] < 0x7f;
}

/* PrincipalName (5.2.2): name-type, then the parts of the name. */
static struct kerberos_name read_name(struct cursor explicit_body)
{
    struct kerberos_name name = {0};
    struct cursor fields = der_inside(explicit_body, DER_SEQUENCE);
    struct der_element field, part;
    while (der_next(&fields, &field)) {
        if (field.tag != NAME_STRING)
            continue;
        struct cursor parts = der_inside(field.body, DER_SEQUENCE);
        while (name.count < KERBEROS_NAME_PARTS && der_next(&parts, &part))
            if (part.tag == DER_GENERAL_STRING)
                name.parts[name.count++] = cursor_rest(&part.body);
    }
    return name;
}

static struct span read_string(struct cursor explicit_body)
{
    struct cursor string = der_inside(explicit_body, DER_GENERAL_STRING);
    return cursor_rest(&string);
}

/* KDC-REQ-BODY (5.4.1) */
static void read_request_body(struct cursor explicit_body, struct kerberos_message *m)
{
    enum { CLIENT = DER_CONTEXT | 1, REALM = DER_CONTEXT | 2, SERVICE = DER_CONTEXT | 3 };
    struct cursor fields = der_inside(explicit_body, DER_SEQUENCE);
    struct der_element field;
    while (der_next(&fields, &field)) {
        if (field.tag == CLIENT)
            m->client = read_name(field.body);
        else if (field.tag == REALM)
            m->realm = read_string(field.body);
        else if (field.tag == SERVICE)
            m->service = read_name(field.body);
    }
}

/* Ticket (5.3) */
static void read_ticket(struct cursor explicit_body, struct kerberos_message *m)
{
    enum { REALM = DER_CONTEXT | 1, SERVICE = DER_CONTEXT | 2 };
    struct cursor fields = der_inside(der_inside(explicit_body, APPLICATION_TICKET), DER_SEQUENCE);
    struct der_element field;
    while (der_next(&fields, &field)) {
        if (field.tag == REALM)
            m->realm = read_string(field.body);
        else if (field.tag == SERVICE)
            m->service = read_name(field.body);
    }
}

static void read_request(struct cursor fields, struct kerberos_message *m)
{
    enum { BODY = DER_CONTEXT | 4 };
    struct der_element field;
    while (der_next(&fields, &field))
        if (field.tag == BODY)
            read_request_body(field.body, m);
}

/* KDC-REP (5.4.2) */
static void read_reply(struct cursor fields, struct kerberos_message *m)
{
    enum { CLIENT_REALM = DER_CONTEXT | 3, CLIENT = DER_CONTEXT | 4, TICKET = DER_CONTEXT | 5 };
    struct der_element field;
    while (der_next(&fields, &field)) {
        if (field.tag == CLIENT_REALM)
            m->realm = read_string(field.body);
        else if (field.tag == CLIENT)
            m->client = read_name(field.body);
        else if (field.tag == TICKET)
            read_ticket(field.body, m);
    }
}

/* KRB-ERROR (5.9.1) */
static void read_error(struct cursor fields, struct kerberos_message *m)
{
    enum { CODE = DER_CONTEXT | 6, CLIENT = DER_CONTEXT | 8, REALM = DER_CONTEXT | 9, SERVICE = DER_CONTEXT | 10 };
    enum { TEXT = DER_CONTEXT | 11 };
    struct der_element field;
    while (der_next(&fields, &field)) {
        if (field.tag == CODE)
            m->error_code = der_integer(field.body);
        else if (field.tag == CLIENT)
            m->client = read_name(field.body);
        else if (field.tag == REALM)
            m->realm = read_string(field.body);
        else if (field.tag == SERVICE)
            m->service = read_name(field.body);
        else if (field.tag == TEXT)
            m->error_text = read_string(field.body);
    }
}

bool kerberos_read(struct span bytes, struct kerberos_message *m)
{
    struct cursor c = cursor_over(bytes);
    struct der_element message;
    *m = (struct kerberos_message){0};
    if (!der_next(&c, &message) || (message.tag & 0xe0) != DER_APPLICATION)
        return false;
    m->type = (enum kerberos_type)(message.tag & 0x1f);
    struct cursor fields = der_inside(message.body, DER_SEQUENCE);
    switch (m->type) {
    case KERBEROS_AS_REQ:
    case KERBEROS_TGS_REQ:
        read_request(fields, m);
        return true;
    case KERBEROS_AS_REP:
    case KERBEROS_TGS_REP:
        read_reply(fields, m);
        return true;
    case KERBEROS_ERROR:
        read_error(fields, m);
        return true;
    }
    return false;
}
