/* What is odd about how the clocks differ: a time zone, or that one of them was set while the captures ran. */
#ifndef TDSCOPE_CLOCK_NOTES_H
#define TDSCOPE_CLOCK_NOTES_H

#include "casebook.h"

/* Adds notes to the far capture of each pair of points; after the clocks are known. */
void clock_notes_add(struct casebook *casebook);

#endif
