/*
 * The Internet checksum (RFC 1071), 64 bits at a time.
 *
 * Theory of operation: a one's complement sum does not depend on byte order, as long as all of it is in the same one, nor on
 * the width of the words added, as long as carries come back in at the low end. So memory is added as it lies, and the
 * two bytes of the checksum field are compared as they lie.
 */
#include "checksum.h"

#include <string.h>

#include "ip.h"

enum { TCP_CHECKSUM_OFFSET = 16 };

static uint64_t add_with_carry(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

static uint64_t load_u64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static uint32_t load_u32(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* The last bytes of a span of at least eight, fewer than eight: without a branch for each number, and without a copy. An odd number of them
 * stands at the wrong bytes of the 16-bit words; the word is turned by one. */
static uint64_t last_bytes(struct span bytes, size_t count)
{
    static const uint8_t masks[16] = {[8] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint64_t word = load_u64(bytes.data + bytes.size - 8) & load_u64(masks + count);
    unsigned turn = count % 2 * 8;
    return word >> turn | word << ((64 - turn) % 64);
}

/* Four sums that do not wait for each other's carries. At least eight bytes. */
static uint64_t sum_bytes(struct span bytes)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    const uint8_t *p = bytes.data;
    size_t left = bytes.size;
    for (; left >= 32; left -= 32, p += 32) {
        a = add_with_carry(a, load_u64(p));
        b = add_with_carry(b, load_u64(p + 8));
        c = add_with_carry(c, load_u64(p + 16));
        d = add_with_carry(d, load_u64(p + 24));
    }
    for (; left >= 8; left -= 8, p += 8)
        a = add_with_carry(a, load_u64(p));
    b = add_with_carry(b, last_bytes(bytes, left));
    return add_with_carry(add_with_carry(a, b), add_with_carry(c, d));
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)sum;
}

static uint64_t sum_address(const struct address *address)
{
    if (address->version == 4)
        return load_u32(address->bytes);
    return add_with_carry(load_u64(address->bytes), load_u64(address->bytes + 8));
}

static uint64_t sum_pseudo_header(const struct address *source, const struct address *destination, uint32_t length)
{
    const uint8_t tail[8] = {
        (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length, 0, 0, 0,
        IP_PROTOCOL_TCP};
    return add_with_carry(add_with_carry(load_u64(tail), sum_address(source)), sum_address(destination));
}

/* What a card with checksum offload is given: the pseudo header's sum, complemented or not; for segmentation offload on
 * Windows without the length, which differs for each segment the card will make; or nothing at all. */
static bool is_left_to_card(uint16_t field, uint16_t with_length, uint16_t without_length)
{
    return field == 0 || field == with_length || (field ^ with_length) == UINT16_MAX || field == without_length ||
           (field ^ without_length) == UINT16_MAX;
}

enum checksum_state checksum_judge_tcp(const struct address *source, const struct address *destination,
                                       struct span segment)
{
    uint64_t pseudo = sum_pseudo_header(source, destination, (uint32_t)segment.size);
    if (fold(add_with_carry(pseudo, sum_bytes(segment))) == UINT16_MAX)
        return CHECKSUM_GOOD;
    uint16_t field;
    memcpy(&field, segment.data + TCP_CHECKSUM_OFFSET, sizeof field);
    uint16_t without_length = fold(sum_pseudo_header(source, destination, 0));
    return is_left_to_card(field, fold(pseudo), without_length) ? CHECKSUM_OFFLOADED : CHECKSUM_BAD;
}
