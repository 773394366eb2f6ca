/* What Windows' events tell, whatever they were exported as: by number and provider, never by words for people. */
#ifndef TDSCOPE_WINDOWS_EVENTS_H
#define TDSCOPE_WINDOWS_EVENTS_H

#include "evidence_reader.h"

/* Security, audit of the Windows Filtering Platform: 5152 a packet was dropped, 5157 a connection was forbidden. */
bool windows_event_is_drop(uint64_t id);

/* What the event of that provider tells of; false: nothing that matters here. provider may be longer: "Microsoft-Windows-...". */
bool windows_event_knows(uint64_t id, struct span provider, enum log_event *event);

/* The fields of a drop, as they stand there; size 0: not told. */
struct windows_drop {
    struct span direction, source_address, source_port, destination_address, destination_port, protocol, filter;
    struct span origin, layer; /* the filter's owner, and where it stands */
};

/* Adds it when it is one of TCP and complete. */
void windows_event_add_drop(const struct evidence_input *input, const struct moment *at,
                            const struct windows_drop *drop);

/* The same for an event of the log. NULL: there is no room. */
struct log_record *windows_event_add_log(const struct evidence_input *input, const struct moment *at,
                                         enum log_event event, uint64_t id);

/* "TLS 1.2" anywhere in the text, as 0x0303; 0: no version. */
uint32_t windows_event_tls_version(struct span text);

#endif
