/* Writing addresses. */
#include "address.h"

#include <stdio.h>

/* The longest run of two or more zero groups is written "::" (RFC 5952, section 4.2). */
static void longest_zero_run(const uint16_t groups[8], int *start, int *length)
{
    *start = -1;
    *length = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && groups[i + n] == 0)
            n++;
        if (n > *length) {
            *start = i;
            *length = n;
        }
        i += n;
    }
}

static void ipv6_text(const uint8_t bytes[16], char *text, size_t size)
{
    uint16_t groups[8];
    for (int i = 0; i < 8; i++)
        groups[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    int run_start, run_length;
    longest_zero_run(groups, &run_start, &run_length);
    size_t used = 0;
    for (int i = 0; i < 8; i++) {
        if (i == run_start) {
            used += (size_t)snprintf(text + used, size - used, "::");
            i += run_length - 1;
            continue;
        }
        const char *colon = i > 0 && i != run_start + run_length ? ":" : "";
        if (run_start < 0 && i > 0)
            colon = ":";
        used += (size_t)snprintf(text + used, size - used, "%s%x", colon, groups[i]);
    }
}

const char *address_text(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
    const uint8_t *b = address->bytes;
    text[0] = '\0';
    if (address->version == 4)
        snprintf(text, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    else if (address->version == 6)
        ipv6_text(b, text, ADDRESS_TEXT_SIZE);
    return text;
}

const char *endpoint_text(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE])
{
    char address[ADDRESS_TEXT_SIZE];
    address_text(&endpoint->address, address);
    const char *form = endpoint->address.version == 6 ? "[%s]:%u" : "%s:%u";
    snprintf(text, ENDPOINT_TEXT_SIZE, form, address, endpoint->port);
    return text;
}
