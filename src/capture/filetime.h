/* Windows' FILETIME: units of 100 ns since 1601 (MS-DTYP 2.3.3). */
#ifndef TDSCOPE_FILETIME_H
#define TDSCOPE_FILETIME_H

#include <stdint.h>

#define FILETIME_PER_SECOND 10000000
#define FILETIME_OF_1970 116444736000000000LL

/* Nanoseconds since 1970; 0: before, or later than 2115, which no machine's clock shows. */
static inline int64_t filetime_ns(uint64_t filetime)
{
    const uint64_t latest = FILETIME_OF_1970 + 4600000000ULL * FILETIME_PER_SECOND;
    return filetime < FILETIME_OF_1970 || filetime > latest ? 0 : (int64_t)(filetime - FILETIME_OF_1970) * 100;
}

#endif
