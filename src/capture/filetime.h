/* Windows' FILETIME: units of 100 ns since 1601 (MS-DTYP 2.3.3). */
#ifndef TDSCOPE_FILETIME_H
#define TDSCOPE_FILETIME_H

#include <stdint.h>

#define FILETIME_PER_SECOND 10000000
#define FILETIME_OF_1970 116444736000000000LL

/* Nanoseconds since 1970; 0: before, or too late to be told so. */
static inline int64_t filetime_ns(uint64_t filetime)
{
    if (filetime < FILETIME_OF_1970 || filetime > INT64_MAX / 2)
        return 0;
    int64_t since = (int64_t)filetime - FILETIME_OF_1970;
    return since > INT64_MAX / 100 ? INT64_MAX : since * 100;
}

#endif
