/* SMP headers (MC-SMP 2.2.1). */
#include "smp.h"

#include "cursor.h"

/* A DATA packet carries at most one TDS packet. */
enum { SMP_LENGTH_MAX = SMP_HEADER + 65535 };

bool smp_header_read(struct span bytes, struct smp_header *header)
{
    struct cursor c = cursor_over(bytes);
    if (bytes.size > 0 && cursor_u8(&c) != SMP_ID)
        return false;
    uint8_t kind = cursor_u8(&c);
    if (!c.failed && kind != SMP_SYN && kind != SMP_ACK && kind != SMP_FIN && kind != SMP_DATA)
        return false;
    header->kind = kind;
    header->session = cursor_u16le(&c);
    header->length = cursor_u32le(&c);
    header->sequence = cursor_u32le(&c);
    header->window = cursor_u32le(&c);
    if (bytes.size < 8)
        return bytes.size > 0;
    return kind == SMP_DATA ? header->length > SMP_HEADER && header->length <= SMP_LENGTH_MAX
                            : header->length == SMP_HEADER;
}
