/*
 * Reads all captures, each capture point through packets, flows and protocols, into the casebook.
 */
#ifndef TDSCOPE_FIRST_READING_H
#define TDSCOPE_FIRST_READING_H

#include "analysis.h"
#include "capture_chain.h"
#include "capture_series.h"

/* A file and the chain that reads it; its number is that of its capture in the casebook. */
struct capture_source {
    struct capture_chain chain;
    struct capture_series series;
    enum capture_role role;
    bool role_given;
};

/* all_bytes: of all sources, for the progress; 0: not known. */
void first_reading_run(struct analysis *analysis, struct capture_source *sources, uint32_t count, uint64_t all_bytes);

#endif
