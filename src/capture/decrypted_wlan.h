/* Wi-Fi frames as Windows hands them to who captures. */
#ifndef TDSCOPE_DECRYPTED_WLAN_H
#define TDSCOPE_DECRYPTED_WLAN_H

#include <stddef.h>
#include <stdint.h>

/* Windows hands Wi-Fi's data over decrypted, and may leave the bit that says otherwise (IEEE 802.11, 9.2.4.1.9). */
static inline void decrypted_wlan_clear(uint8_t *frame, size_t size)
{
    enum { TYPE_BITS = 0x0C, TYPE_DATA = 0x08, PROTECTED = 0x40 };
    if (size >= 2 && (frame[0] & TYPE_BITS) == TYPE_DATA)
        frame[1] &= (uint8_t)~PROTECTED;
}

#endif
