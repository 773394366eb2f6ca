/* Every ceiling of the line in one place, with its reason. Reaching one degrades in a defined way and is said in the report. */
#ifndef TDSCOPE_CEILINGS_H
#define TDSCOPE_CEILINGS_H

enum {
    /* Live conversations of one capture point. Asleep, a million take about 1 GB; beyond it the longest silent one is concluded early. */
    LIMIT_LIVE_CONVERSATIONS = 1000000,

    /* Of them, those that are awake: with facts, following and decoding 4.5 KB each. Others that are silent sleep. */
    LIMIT_AWAKE_CONVERSATIONS = 6144,

    /* Connections that are compared packet by packet. Each takes about 0.5 KB, and what is under way of it. */
    LIMIT_COMPARED = 200000,

    /* One thread follows captures of fewer bytes altogether, unless more are asked for: that takes some hundredths of a second. */
    LIMIT_BYTES_ALONE = 32 << 20,

    /* Threads, where nobody says how many: only one of them reads at a time, and more than these seldom save what they cost others on the machine. */
    LIMIT_THREADS_UNASKED = 4,

    /* Files of one run: what a ring buffer of 300 MB pieces makes of 30 TB. */
    LIMIT_FILES = 100000,

    /* Memory is counted after this many packets, and conversations are folded when --memory is reached. */
    LIMIT_MEMORY_PACKETS = 4096,

    /* The least that --memory takes, in MB: the program, windows to read by, and conversations to work on take half of it. */
    LIMIT_MEMORY_LEAST_MB = 64,

    /* Progress is told after this many packets: about every 16 MiB of ordinary traffic. */
    LIMIT_PROGRESS_PACKETS = 16384
};

/* Bytes of one pipe that are kept to be read again: a day of a busy server, and no more than a disk usually has room for. */
#define LIMIT_SPOOLED_BYTES (64ULL << 30)

#endif
