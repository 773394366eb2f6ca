/* Writes capture files as bytes for tests. */
#define _POSIX_C_SOURCE 200809L

#include "capture_bytes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void put_u8(struct capture_bytes *bytes, uint8_t value)
{
    if (bytes->size == CAPTURE_BYTES_MAX)
        abort();
    bytes->data[bytes->size++] = value;
}

static void put_number(struct capture_bytes *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        put_u8(bytes, (uint8_t)(value >> 8 * (bytes->big_endian ? size - 1 - i : i)));
}

void put_u16(struct capture_bytes *bytes, uint16_t value)
{
    put_number(bytes, value, 2);
}

void put_u32(struct capture_bytes *bytes, uint32_t value)
{
    put_number(bytes, value, 4);
}

void put_u64(struct capture_bytes *bytes, uint64_t value)
{
    put_number(bytes, value, 8);
}

void put_fill(struct capture_bytes *bytes, uint8_t value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_u8(bytes, value);
}

void put_pcap_header(struct capture_bytes *bytes, uint32_t magic, uint32_t snaplen, uint32_t link_type)
{
    put_u32(bytes, magic);
    put_u16(bytes, 2);
    put_u16(bytes, 4);
    put_u64(bytes, 0); /* time zone, accuracy */
    put_u32(bytes, snaplen);
    put_u32(bytes, link_type);
}

void put_pcap_record(struct capture_bytes *bytes, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t wire,
                     uint8_t fill)
{
    put_u32(bytes, seconds);
    put_u32(bytes, fraction);
    put_u32(bytes, captured);
    put_u32(bytes, wire);
    put_fill(bytes, fill, captured);
}

size_t put_block_begin(struct capture_bytes *bytes, uint32_t type)
{
    size_t begin = bytes->size;
    put_u32(bytes, type);
    put_u32(bytes, 0);
    return begin;
}

void put_block_end(struct capture_bytes *bytes, size_t begin)
{
    put_fill(bytes, 0, (4 - bytes->size % 4) % 4);
    uint32_t total = (uint32_t)(bytes->size - begin) + 4;
    put_u32(bytes, total);
    memcpy(bytes->data + begin + 4, bytes->data + bytes->size - 4, 4);
}

void put_section(struct capture_bytes *bytes)
{
    size_t begin = put_block_begin(bytes, 0x0A0D0D0A);
    put_u32(bytes, 0x1A2B3C4D);
    put_u16(bytes, 1);
    put_u16(bytes, 0);
    put_u64(bytes, UINT64_MAX); /* section length: not told */
    put_block_end(bytes, begin);
}

void put_interface(struct capture_bytes *bytes, uint16_t link_type, uint32_t snaplen)
{
    size_t begin = put_block_begin(bytes, 1);
    put_u16(bytes, link_type);
    put_u16(bytes, 0);
    put_u32(bytes, snaplen);
    put_block_end(bytes, begin);
}

void put_enhanced_packet(struct capture_bytes *bytes, uint32_t interface, uint64_t time, uint32_t captured,
                         uint32_t wire, uint8_t fill)
{
    size_t begin = put_block_begin(bytes, 6);
    put_u32(bytes, interface);
    put_u32(bytes, (uint32_t)(time >> 32));
    put_u32(bytes, (uint32_t)time);
    put_u32(bytes, captured);
    put_u32(bytes, wire);
    put_fill(bytes, fill, captured);
    put_block_end(bytes, begin);
}

void write_temporary(struct span content, char path[static TEMPORARY_PATH_SIZE])
{
    strcpy(path, "/tmp/tdscope_test_XXXXXX");
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        abort();
    for (size_t done = 0; done < content.size;) {
        ssize_t written = write(descriptor, content.data + done, content.size - done);
        if (written <= 0)
            abort();
        done += (size_t)written;
    }
    close(descriptor);
}
