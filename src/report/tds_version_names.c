/* TDS versions (MS-TDS 2.2.6.4 and 2.2.7.14) and server versions (2.2.6.5) in words. */
#include "tds_version_names.h"

#include <stdio.h>

/* From 7.1 on the first byte holds both digits (0x74 is 7.4); before that, and since 8.0, it holds the major version
 * and the second byte the minor one. */
const char *tds_version_text(uint32_t version, char text[static VERSION_TEXT_SIZE])
{
    unsigned first = version >> 24, second = version >> 16 & 0xff;
    if (first >= 0x70)
        snprintf(text, VERSION_TEXT_SIZE, "%u.%u", first >> 4, first & 0xf);
    else
        snprintf(text, VERSION_TEXT_SIZE, "%u.%u", first, second);
    return text;
}

const char *server_version_text(uint32_t version, char text[static VERSION_TEXT_SIZE])
{
    snprintf(text, VERSION_TEXT_SIZE, "%u.%u.%u", version >> 24, version >> 16 & 0xff, version & 0xffff);
    return text;
}
