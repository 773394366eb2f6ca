/* The records of a server, of its machine, and of a client with it (surroundings.h): what each conversation adds to them. */
#ifndef TDSCOPE_SERVER_RECORDS_H
#define TDSCOPE_SERVER_RECORDS_H

#include "surroundings.h"

/* Takes in a conversation; host: the record that is kept of the machine, which may be that of another port of it. */
void server_records_note(const struct surroundings *surroundings, const struct conversation *conversation,
                         struct server_record *server, struct server_record *host, struct pair_record *pair);

/* Once all are noted: the lists can be asked. */
void server_record_settle(struct server_record *server);
void pair_record_settle(struct pair_record *pair);

void server_record_close(struct server_record *server);
void pair_record_close(struct pair_record *pair);

#endif
