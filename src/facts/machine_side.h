/*
 * Which side a machine is on that a source tells of. In this order: as the user says; as its kind says (a SQL Server's log); by its addresses,
 * which are those of clients or of servers in captured SQL Server connections; by the name of a machine that another source has placed; by
 * a SQL Server that runs on it. Else it is not known, and no finding is made of it.
 */
#ifndef TDSCOPE_MACHINE_SIDE_H
#define TDSCOPE_MACHINE_SIDE_H

#include "casebook.h"

/* Once the captures are read and joined: fills role and address of each source, and notes where the side is not known. */
void machine_side_place(struct casebook *casebook);

/* The name of a machine as others may write it, too: without domain and instance, in lower case. size 0: it says nothing. */
enum { MACHINE_NAME_SIZE = 64 };
size_t machine_side_short_name(const char *machine, char name[static MACHINE_NAME_SIZE]);

#endif
