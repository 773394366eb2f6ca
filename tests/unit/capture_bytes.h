/* Writes capture files as bytes for tests: into memory, and into temporary files. */
#ifndef TDSCOPE_CAPTURE_BYTES_H
#define TDSCOPE_CAPTURE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

enum { CAPTURE_BYTES_MAX = 1 << 16, TEMPORARY_PATH_SIZE = 64 };

struct capture_bytes {
    uint8_t data[CAPTURE_BYTES_MAX];
    size_t size;
    bool big_endian;
};

void put_u8(struct capture_bytes *bytes, uint8_t value);
void put_u16(struct capture_bytes *bytes, uint16_t value);
void put_u32(struct capture_bytes *bytes, uint32_t value);
void put_u64(struct capture_bytes *bytes, uint64_t value);
void put_fill(struct capture_bytes *bytes, uint8_t value, size_t count);

/* pcap: file header 2.4 and a standard record whose bytes all are `fill`. */
void put_pcap_header(struct capture_bytes *bytes, uint32_t magic, uint32_t snaplen, uint32_t link_type);
void put_pcap_record(struct capture_bytes *bytes, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t wire,
                     uint8_t fill);

/* pcapng: what stands between put_block_begin() and put_block_end() is padded and framed. */
size_t put_block_begin(struct capture_bytes *bytes, uint32_t type);
void put_block_end(struct capture_bytes *bytes, size_t begin);
void put_section(struct capture_bytes *bytes);
void put_interface(struct capture_bytes *bytes, uint16_t link_type, uint32_t snaplen);
void put_enhanced_packet(struct capture_bytes *bytes, uint32_t interface, uint64_t time, uint32_t captured,
                         uint32_t wire, uint8_t fill);

static inline struct span capture_bytes_span(const struct capture_bytes *bytes)
{
    return (struct span){bytes->data, bytes->size};
}

/* Makes a temporary file; path takes its name, which the caller unlinks. */
void write_temporary(struct span content, char path[static TEMPORARY_PATH_SIZE]);

#endif
