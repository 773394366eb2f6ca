/*
 * What logs, command outputs and reports tell, beside the packets: of machines and of moments.
 *
 * Readers write these facts, whatever the format was; detectors read them. Each record has a moment in its source, which is proof as
 * a packet is. Its time is UTC by the clock of the machine that wrote it; where a source's time zone is not told, by the zone
 * that source_facts.zone says.
 */
#ifndef TDSCOPE_EVIDENCE_FACTS_H
#define TDSCOPE_EVIDENCE_FACTS_H

#include "address.h"
#include "arena.h"
#include "capture_facts.h"
#include "moment.h"
#include "slab.h"

/* As the contract names them. */
enum source_kind {
    SOURCE_UNKNOWN,
    SOURCE_NETSTAT,
    SOURCE_SS,
    SOURCE_PORT_RANGE,
    SOURCE_RING_BUFFER,
    SOURCE_ERRORLOG,
    SOURCE_SQLCHECK,
    SOURCE_FIREWALL_LOG,
    SOURCE_EVENTS,
    SOURCE_WFP,
    SOURCE_PKTMON,
    SOURCE_ERROR_TEXT,
    SOURCE_SQLNA_CSV,
    SOURCE_SQLTRACE_LOG,
    SOURCE_HOST_SETTINGS,
    SOURCE_IPCONFIG,
    SOURCE_TASKLIST,
    SOURCE_KINDS
};

enum source_zone {
    ZONE_NONE,   /* its records have no times */
    ZONE_TOLD,   /* by the source itself: UTC, or an offset that it names */
    ZONE_JOINED, /* by captured connections that its records are about */
    ZONE_OPEN    /* local time of a zone that it does not name: taken for UTC */
};

/* Whose defaults hold, as far as the form of a source tells. */
enum machine_system { SYSTEM_UNKNOWN, SYSTEM_WINDOWS, SYSTEM_LINUX, SYSTEM_BSD, SYSTEM_MACOS };

struct source_facts {
    char *file; /* path as given; owned */
    enum source_kind kind;
    enum capture_role
        role; /* of the machine: by --client or --server, by its kind, or by its addresses; else unknown */
    bool role_given;
    const char *machine;    /* its name; NULL: not told */
    struct address address; /* of the machine, by which captured connections know it; version 0: they do not */
    bool unplaced;          /* it tells of a machine whose side is not known */
    enum machine_system system;
    const char *encoding; /* "utf-8", "utf-16le", "utf-16be", "windows-1252", "binary"; a literal */
    uint64_t records;     /* lines, rows, entries that were understood */
    uint64_t joined;      /* those that belong to a conversation, or stand near one in trouble */
    enum source_zone zone;
    int64_t utc_offset_ns;     /* by which its times were ahead of UTC */
    int64_t first_ns, last_ns; /* of its records; valid when first_ns <= last_ns */
    bool incomplete;           /* reading stopped before its end */
    struct notes notes;
};

/* An address of the machine that a source is about. */
struct machine_address {
    uint32_t source;
    struct address address;
};

/* What a log says happened on a machine. */
enum log_event {
    LOG_IO_STALL,        /* I/O that took longer than 15 seconds: error 833 */
    LOG_SCHEDULER_STALL, /* workers that do not yield, or logins and queries that wait for one: 17883, 17884, 17887, 17888 */
    LOG_MEMORY_PRESSURE,   /* 701, 802, 8645, 17803, 17890 */
    LOG_CONTROLLER_FAILED, /* the domain controller did not answer: 17806 with an authority's status, event 5719 */
    LOG_LOGIN_FAILED,      /* 18456 and its kin */
    LOG_LOGIN_BROKEN,      /* the network failed in a login: 17830, 17832, 17836 */
    LOG_INPUT_FAILED,      /* the network failed in a session: 4014 */
    LOG_NO_PORTS,          /* the machine ran out of ports: events 4227, 4231 */
    LOG_TLS_FAILED,        /* Schannel events 36874, 36888 */
    LOG_SERVER_STARTED,
    LOG_SERVER_STOPPED,
    LOG_LEASE_LOST,    /* of an availability group, or its state changed: 19406, 19407, 19419, 19421 */
    LOG_TRACE_STARTED, /* SQLTrace captures from here on: event 3002 of MSSQL-SQLTrace */
    LOG_TRACE_STOPPED, /* until here: event 3003 */
    LOG_EVENTS
};

/* Where the time of a login went, in ms; -1: not told. */
struct login_times {
    int32_t total, enqueued, writes, reads, tls, sspi, validation;
};

struct log_record {
    struct moment at;
    enum log_event event;
    uint32_t number;           /* of the error or event; 0: none */
    uint32_t state;            /* of the error; of Schannel's events the TLS alert, or the version that was asked for */
    uint32_t system_error;     /* Windows' code of the network error; 0: not told */
    uint32_t occurrences;      /* that the one record tells of; at least 1 */
    struct endpoint client;    /* port 0: not told; address.version 0: none */
    uint8_t connection_id[16]; /* as in the client's PRELOGIN */
    bool has_connection_id;
    struct login_times times;
};

/* How far a connection had come when its driver gave it up, as the driver's text tells. */
enum error_phase {
    ERROR_PHASE_UNKNOWN,
    ERROR_PHASE_OPENING,  /* before the session, and how far is not told */
    ERROR_PHASE_POOL,     /* it waited for a connection of the application's own pool: nothing was sent */
    ERROR_PHASE_CONNECT,  /* name, SQL Server Browser, TCP's handshake */
    ERROR_PHASE_PRELOGIN, /* TCP stood; PRELOGIN and TLS */
    ERROR_PHASE_LOGIN,    /* until the login's answer */
    ERROR_PHASE_SESSION,  /* logged in before */
    ERROR_PHASE_COMMAND,  /* the time of a command ran out */
    ERROR_PHASES
};

/* Where SqlClient spent the time to open a connection, in the order in which its text tells them. */
enum open_time { OPEN_PRELOGIN, OPEN_HANDSHAKE, OPEN_LOGIN, OPEN_AUTHENTICATION, OPEN_POST_LOGIN, OPEN_TIMES };

enum { ERROR_SERVER_SIZE = 64 };

/* What a driver told its application of a connection that failed. */
struct error_record {
    struct moment at; /* time 0: not told */
    enum error_phase phase;
    int32_t number;                      /* SqlClient's -2, Windows' 10054, Linux' 104, SQL Server's 18456; 0: none */
    int32_t spent_ms[OPEN_TIMES];        /* -1: not told */
    struct endpoint client, server;      /* port 0: not told; address.version 0: not told */
    char server_name[ERROR_SERVER_SIZE]; /* as the text names it; "": it does not */
    uint8_t connection_id[16];           /* as in the client's PRELOGIN */
    bool has_connection_id;
};

/* What is set on a machine. value by its unit; text names what it is about. */
enum machine_setting {
    SETTING_PORTS_FIRST,     /* the first ephemeral port */
    SETTING_PORTS_COUNT,     /* how many there are */
    SETTING_TIME_WAIT_S,     /* how long a closed connection keeps its port */
    SETTING_RSS,             /* 0: disabled; text: the adapter, NULL: the whole machine */
    SETTING_OFFLOAD,         /* 1: enabled; text: which, and the adapter */
    SETTING_FILTER_DRIVER,   /* text: a file system or network filter that is not the system's own */
    SETTING_DRIVER_DATE,     /* yyyymmdd; text: the adapter. Not of in-box drivers, whose date never changes */
    SETTING_VIRTUAL_ADAPTER, /* text: the adapter of a virtual machine */
    SETTING_DELAYING_DRIVER, /* text: a virtual machine's driver that is known to hold packets */
    SETTING_TLS_CLIENT,      /* the version, 0x0301 to 0x0304, or its negative when it is disabled */
    SETTING_TLS_SERVER,
    SETTING_CIPHER_SUITE,  /* text: its name, in order; value 1: of the policy's list, which counts before the other */
    SETTING_DHE,           /* 1: cipher suites with DHE are enabled */
    SETTING_DHE_ALGORITHM, /* number of the way in which the machine treats leading zeros */
    SETTING_WINDOWS_BUILD, /* windows_build(); text: the version as told */
    SETTING_REPORT_DATE,   /* yyyymmdd: when the source was written */
    SETTING_KEEP_ALIVE_MS, /* idle time before the first probe; text: of which instance or driver, NULL: the machine */
    SETTING_KEEP_ALIVE_EVERY_MS,
    SETTING_RETRANSMISSIONS, /* of data, before TCP gives up */
    SETTING_PORTS_REUSED,    /* 1: ports in TIME_WAIT are used again after a second */
    SETTING_MEMORY_MAX_MB,   /* SQL Server's max server memory */
    SETTING_MEMORY_MB,       /* of the machine */
    SETTING_SQL_PORT,        /* a SQL Server of this machine listens on it */
    SETTING_SQL_RUNS,        /* text: an instance of SQL Server that runs on this machine, or its service */
    SETTINGS
};

/* Comparable: a build of Windows and its revision. */
static inline int64_t windows_build(uint64_t build, uint64_t revision)
{
    return (int64_t)(build << 24 | (revision & 0xffffff));
}

struct setting_record {
    struct moment at;
    enum machine_setting setting;
    int64_t value;
    const char *text; /* NULL: none */
};

/* A firewall, WFP or PKTMON says that it dropped a packet or forbade a connection. */
struct drop_record {
    struct moment at;
    struct endpoint source, destination;
    bool inbound, outbound; /* both false: not told */
    uint64_t filter;        /* Windows' filter run-time ID; 0: not told */
    const char *reason;     /* the rule, the layer, or the drop reason; NULL: not told */
    bool at_transport;      /* where Windows drops what no socket takes: it hides that nobody listens */
    bool unfiltered;        /* TCP, a card or a switch threw it away: that is no proof of a filter */
    bool from_capture;      /* the trace that tells of it has packets from before they are dropped, too */
};

enum socket_state {
    SOCKET_OTHER,
    SOCKET_LISTEN,
    SOCKET_ESTABLISHED,
    SOCKET_TIME_WAIT,
    SOCKET_CLOSE_WAIT,
    SOCKET_SYN_SENT,
    SOCKET_BOUND
};

/* A TCP row of netstat or ss. */
struct socket_record {
    struct moment at; /* its line; no time */
    struct endpoint local, remote;
    enum socket_state state;
    uint32_t process; /* 0: not told */
};

/* A process that runs on a machine. */
struct process_record {
    struct moment at; /* its line; no time */
    uint32_t process;
    const char *image; /* the name of its program, perhaps cut */
};

struct evidence {
    struct source_facts *sources;
    uint32_t source_count, source_capacity;
    struct slab addresses; /* struct machine_address */
    struct slab log;       /* struct log_record */
    struct slab settings;  /* struct setting_record */
    struct slab drops;     /* struct drop_record */
    struct slab sockets;   /* struct socket_record */
    struct slab errors;    /* struct error_record */
    struct slab processes; /* struct process_record */
    struct arena texts;
};

/* Empty; evidence_close() gives back all that it owns. */
void evidence_open(struct evidence *evidence);
void evidence_close(struct evidence *evidence);

/* A source without anything known; the pointer is valid until the next one is added. */
struct source_facts *evidence_add_source(struct evidence *evidence);

/* Takes the newest source back, which has no records. */
void evidence_take_back_source(struct evidence *evidence);

/* Each adds a zeroed record and counts it in its source, with its time when it has one. NULL: EVIDENCE_RECORDS_MAX of the kind are there,
 * which the source notes. */
enum { EVIDENCE_RECORDS_MAX = 1000000 };
struct log_record *evidence_add_log(struct evidence *evidence, const struct moment *at);
struct setting_record *evidence_add_setting(struct evidence *evidence, const struct moment *at,
                                            enum machine_setting setting, int64_t value, const char *text);
struct drop_record *evidence_add_drop(struct evidence *evidence, const struct moment *at);
struct socket_record *evidence_add_socket(struct evidence *evidence, const struct moment *at);
struct error_record *evidence_add_error(struct evidence *evidence, const struct moment *at);
struct process_record *evidence_add_process(struct evidence *evidence, const struct moment *at);

/* Once a source was read: the times of its records, so far as its clock showed them, become UTC. */
void evidence_tell_zone(struct evidence *evidence, uint32_t source, enum source_zone zone, int64_t utc_offset_ns);

/* Once for each; more than MACHINE_ADDRESSES_MAX of one source are left out: no machine has as many. */
enum { MACHINE_ADDRESSES_MAX = 256 };
void evidence_add_address(struct evidence *evidence, uint32_t source, const struct address *address);

static inline const struct log_record *evidence_log(const struct evidence *evidence, uint32_t number)
{
    return slab_at(&evidence->log, number);
}

static inline const struct setting_record *evidence_setting(const struct evidence *evidence, uint32_t number)
{
    return slab_at(&evidence->settings, number);
}

static inline const struct drop_record *evidence_drop(const struct evidence *evidence, uint32_t number)
{
    return slab_at(&evidence->drops, number);
}

static inline const struct socket_record *evidence_socket(const struct evidence *evidence, uint32_t number)
{
    return slab_at(&evidence->sockets, number);
}

static inline const struct error_record *evidence_error(const struct evidence *evidence, uint32_t number)
{
    return slab_at(&evidence->errors, number);
}

static inline const struct source_facts *evidence_source_of(const struct evidence *evidence, const struct moment *at)
{
    return &evidence->sources[moment_source(at)];
}

#endif
