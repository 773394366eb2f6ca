/* How versions in TDS are written. */
#ifndef TDSCOPE_TDS_VERSION_NAMES_H
#define TDSCOPE_TDS_VERSION_NAMES_H

#include <stdint.h>

enum { VERSION_TEXT_SIZE = 16 };

/* LOGIN7's or LOGINACK's number as people write it: 0x74000004 is "7.4". Returns text. */
const char *tds_version_text(uint32_t version, char text[static VERSION_TEXT_SIZE]);

/* A server's version from PRELOGIN (major << 24 | minor << 16 | build): "16.0.1000". Returns text. */
const char *server_version_text(uint32_t version, char text[static VERSION_TEXT_SIZE]);

#endif
