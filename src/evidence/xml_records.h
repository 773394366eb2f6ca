/*
 * Records in XML: an event, a drop, an entry of a ring buffer; one in a file or many, with a root or without, in one long line or pretty.
 *
 * The text is parsed inside a root of our own, so a document type, in which entities could be declared, is never accepted. What is broken
 * costs the record it stands in: reading goes on at the next one.
 */
#ifndef TDSCOPE_XML_RECORDS_H
#define TDSCOPE_XML_RECORDS_H

#include "evidence_reader.h"

/* A record has no more fields, no more bytes in them, and its elements are nested no deeper: the rest of it is left out. */
enum { XML_FIELDS_MAX = 256, XML_RECORD_MAX_BYTES = 65536, XML_DEPTH_MAX = 64 };

struct xml_record {
    char name[32];   /* of its element: "Event" */
    uint32_t line;   /* where it begins */
    uint32_t fields; /* in paths and values */
    uint32_t path_at[XML_FIELDS_MAX], value_at[XML_FIELDS_MAX];
    struct text texts; /* both, each ends in a zero */
};

struct xml_format {
    const char *const *record_names; /* "Event"; ends in NULL; any case */
    void (*take)(void *context, const struct xml_record *record);
    void *context;
};

/* Reads all that is left of the input; damage is noted in its source. */
void xml_records_read(struct evidence_input *input, const struct xml_format *format);

/*
 * The value of a field, without blanks at its ends; size 0: not there. Its path leads from the record's element to it, any case:
 * "System/EventID" of "<Event><System><EventID>"; what stands in an attribute is "System/TimeCreated@SystemTime". Elements data and action
 * have their attribute "name" in the path: "EventData/Data:SourceAddress".
 */
struct span xml_record_value(const struct xml_record *record, const char *path);
/* The same of the number of the fields of that path; from 0. */
struct span xml_record_nth(const struct xml_record *record, const char *path, uint32_t nth);
bool xml_record_number(const struct xml_record *record, const char *path, uint64_t *number);

/* Whether an element of that name begins in the text: "<Event>", "<Event xmlns=...". */
bool xml_has_element(struct span text, const char *name);

#endif
