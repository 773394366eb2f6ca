/*
 * The stretches of time in which a capture point recorded no packet at all, of anything. A quiet network has them; so has a capture that
 * lost a piece: its buffer was full, its disk stood still, a file of the ring is not there.
 *
 * A capture that misses single packets leaves silences around them, too. So a hole is what lies between packets that it missed, with
 * none recorded in between; and once they are many, which are not missed by chance one after the other, all of the silence. So it is where
 * a file of the capture is not there, and where TCP's timers should have gone off and did not.
 */
#ifndef TDSCOPE_CAPTURE_SILENCES_H
#define TDSCOPE_CAPTURE_SILENCES_H

#include <stdbool.h>
#include <stdint.h>

struct capture_silence {
    int64_t from_ns, to_ns;               /* the packets before and after it, by the capture point's clock */
    uint32_t missed;                      /* packets that passed meanwhile, demonstrably */
    int64_t missed_from_ns, missed_to_ns; /* the first and the last of them; valid when missed > 0 */
    uint32_t passed;                      /* likewise, as the capture's own conversations tell that went on meanwhile */
    uint32_t witnesses;                   /* those conversations; one that went on both ways counts twice */
    bool file_lacks;                      /* what was recorded then was not given */
    bool stood_still; /* what TCP does in that time was not recorded, or the clock was set and no time passed */
    bool no_time;     /* the latter: timestamps tell that */
    uint32_t
        resets; /* of connections of the end that it was taken at: they came to the other end meanwhile, and it lacks them */
    uint32_t
        lacking;     /* connections of which packets left the other end meanwhile, and are not here, or came after it */
    uint32_t hidden; /* packets at the other end whose fate is not known because of it */
};

/* In order of time, not overlapping. All zero: none yet. */
struct capture_silences {
    struct capture_silence *list;
    uint32_t count, capacity;
    int64_t least_ns;                /* shorter ones are not kept */
    int64_t latest_ns;               /* of the packets seen so far */
    bool begun, settled, file_lacks; /* the last: before the next packet */
};

/* The time of the next packet that was recorded; one that is earlier than others ends a silence in which it lies. Of too many
 * silences the long ones are kept. */
void capture_silences_see(struct capture_silences *silences, int64_t time_ns);

/* A file of the capture is not there: whatever the time until the next packet is, it is a hole, if it is long enough to be kept. Returns whether
 * it will be, when that packet comes at that time. */
bool capture_silences_lack_file(struct capture_silences *silences, int64_t until_ns);

/* The first silence that has a moment in common with that time; NULL: there is none. */
struct capture_silence *capture_silences_in(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* The longest stretch of that time in which it recorded nothing; 0: none that is kept. */
int64_t capture_silences_longest_ns(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* A packet that the capture does not have passed at some moment of that time; once settled, it was told before. */
void capture_silences_miss(struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* So many packets of a conversation passed between two that the capture has: in its longest silence between those, if that is most of the
 * time. Returns it; NULL: there is none. both_ways: either side sent some. */
struct capture_silence *capture_silences_pass(struct capture_silences *silences, int64_t from_ns, int64_t to_ns,
                                              uint32_t packets, bool both_ways);

/* In that time timers of TCP ran out, and nothing of what follows was recorded - or, no_time, less than half of it passed, as timestamps tell;
 * likewise. */
void capture_silences_stand_still(struct capture_silences *silences, int64_t from_ns, int64_t to_ns, bool no_time);

/* The capture stood still at some moment of that time, or its clock was set. */
bool capture_silences_stood_still(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* Timestamps tell that its clock was set forward at some moment of that time. */
bool capture_silences_had_no_time(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* It does not have a reset that was due at some moment of that time, and nothing tells whether it passed; likewise. */
void capture_silences_lack_reset(struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* A packet that is not here was due at some moment of that time. Returns the silence; NULL: it lies in none, or was told before. */
struct capture_silence *capture_silences_lack(struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* All packets that it misses were told of. */
void capture_silences_settle(struct capture_silences *silences);

/* The capture's own conversations tell that so many packets passed, and not in one moment, which a capture may miss at any time: two of
 * them tell it, or one that went on both ways. */
bool capture_silence_is_passed(const struct capture_silence *silence);

/* So many packets passed that all of it is a hole, or its file is not there, or it stood still. */
bool capture_silence_is_hole(const struct capture_silence *silence);

/* The first hole within that time; NULL: there is none. */
struct capture_silence *capture_silences_hole(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

/* A moment of that time lies in a silence that is a hole as a whole. */
bool capture_silences_hide(const struct capture_silences *silences, int64_t from_ns, int64_t to_ns);

void capture_silences_close(struct capture_silences *silences);

#endif
