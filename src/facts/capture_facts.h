/* What is known of one capture file. */
#ifndef TDSCOPE_CAPTURE_FACTS_H
#define TDSCOPE_CAPTURE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "notes.h"
#include "tcp_side.h"

enum capture_role { CAPTURE_ROLE_UNKNOWN, CAPTURE_ROLE_CLIENT, CAPTURE_ROLE_SERVER, CAPTURE_ROLE_MIDDLE };

/* Of a capture that was taken on that side's machine. */
static inline enum capture_role capture_role_at(enum side side)
{
    return side == SIDE_CLIENT ? CAPTURE_ROLE_CLIENT : CAPTURE_ROLE_SERVER;
}

/* The inverse: role is one of those two. */
static inline enum side capture_role_side(enum capture_role role)
{
    return role == CAPTURE_ROLE_CLIENT ? SIDE_CLIENT : SIDE_SERVER;
}

/* The kind of the note that says where and why reading a file could not go on. */
#define CAPTURE_BROKEN_NOTE "file broken"
/* The kind of the note that says that packets of a link type were not looked into. */
#define CAPTURE_LINK_TYPE_NOTE "unknown link type"

/* Packets of several queues of one network card are written out of order by microseconds. So much is more: files of several interfaces, or
 * of buffers of each processor, that nobody has sorted. */
#define DISORDER_LEAST_NS NS_PER_MS

/* What a file tells of the machine and the interface it was taken on, hashed; 0: nothing. */
struct capture_maker {
    uint32_t hardware, system, interface;
};

struct capture_facts {
    char *file;         /* path as given, "-" for standard input; owned by the engine */
    const char *spool;  /* path that its bytes can be read from again, when `file` is a pipe; not owned; NULL: `file` */
    const char *format; /* name of the reader: "pcap", "pcapng" */
    enum capture_role role;
    bool role_given; /* by --client or --server, not inferred */
    uint32_t point;  /* files of one capture point have the same number, from 0 */
    uint64_t packets;
    uint64_t wire_bytes;
    int64_t first_ns, last_ns;   /* earliest and latest packet time; valid when packets > 0 */
    uint64_t cut_packets;        /* packets captured shorter than on the wire */
    uint32_t longest_cut;        /* captured length of the longest packet that was cut: the snap length in force */
    uint64_t dropped_by_capture; /* by the capture's own counters */
    uint64_t dropped_by_machine; /* packets that the machine it was taken on threw away, and recorded that */
    bool dropped_known;
    bool incomplete;         /* reading stopped before the end of the file: part of its packets is missing */
    bool failed;             /* nothing could be read */
    bool counts_passed_over; /* its frame numbers count records that are no packets of their own, too */
    bool only_once;          /* a pipe: its bytes cannot be read a second time */
    struct capture_maker maker;

    /* What the packets tell of the capture itself, counted by the packet and flow floors. */
    uint64_t duplicates; /* packets that the capture recorded again */
    uint64_t undecoded;  /* packets with no IP inside, or of an unknown link type */
    uint64_t tcp_packets;
    uint64_t bad_checksums; /* TCP checksums that are wrong and not explained by offload */
    uint64_t
        offload_checksums;   /* TCP checksums that hold just the pseudo header's sum: filled in by the network card */
    uint64_t time_backwards; /* packets earlier than the one before by more than a second */
    uint32_t first_backwards,
        last_backwards;    /* frames: the first and the last of them; valid with time_backwards > 0 */
    uint64_t out_of_order; /* by less than that, and more than DISORDER_LEAST_NS */

    struct notes notes;
    struct notes followed; /* by whoever follows its packets while it is read; put after the notes when all is read */
};

/* A clock is set once in a while; a file that nobody sorted steps back again and again. */
static inline bool capture_facts_disordered(const struct capture_facts *facts)
{
    enum { STEPS_LEAST = 3 };
    return facts->out_of_order >= STEPS_LEAST;
}

/* Adds what is counted of the packets that are followed, where others followed others of the same capture. */
static inline void capture_facts_add_followed(struct capture_facts *facts, const struct capture_facts *others)
{
    facts->duplicates += others->duplicates;
    facts->tcp_packets += others->tcp_packets;
    facts->bad_checksums += others->bad_checksums;
    facts->offload_checksums += others->offload_checksums;
}

/* Where its bytes can be read a second time, unless only_once. */
static inline const char *capture_facts_path(const struct capture_facts *facts)
{
    return facts->spool ? facts->spool : facts->file;
}

#endif
