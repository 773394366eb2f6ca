/* Names of drivers: which come with Windows, and which belong to virtual machines. */
#ifndef TDSCOPE_SYSTEM_DRIVERS_H
#define TDSCOPE_SYSTEM_DRIVERS_H

#include <stdbool.h>

#include "span.h"

/* A file system filter (fltmc) that comes with Windows or SQL Server. */
bool system_drivers_has_filter(struct span name);

/* A network filter that comes with Windows, or with a program that captures packets. */
bool system_drivers_has_network_filter(struct span name);

/* A network card that a hypervisor makes up. */
bool system_drivers_is_virtual_card(struct span name);

#endif
