/*
 * What drivers tell an application of a connection to SQL Server that failed: SqlClient, ODBC, OLE DB, JDBC, tedious, go-mssqldb, FreeTDS.
 *
 * Where a driver speaks the application's language, its shape is read: "(provider: X, error: N - ...)", the labels of SqlClient's timing
 * breakdown and the order of its numbers, SQLSTATEs, error codes, GUIDs.
 */
#ifndef TDSCOPE_DRIVER_MESSAGES_H
#define TDSCOPE_DRIVER_MESSAGES_H

#include "evidence_facts.h"
#include "text_words.h"

/* What the lines of one message tell together. */
struct driver_message {
    bool tells;               /* that a connection failed */
    bool of_driver;           /* a driver for SQL Server is named in it */
    bool complete;            /* its last line came: what follows is another message */
    struct error_record told; /* but for its moment */
};

void driver_message_begin(struct driver_message *message);

/* Adds what this line tells; what an earlier one told stays. Returns whether the line by itself tells of a failure. */
bool driver_message_read(struct driver_message *message, struct span line);

#endif
