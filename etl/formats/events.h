/* events: what the column says that calls the kind of each line's event: seen, put into the cart, bought. All lines of plays count alike,
 * and which of them are meant is the user's to say. */
#ifndef TRIVET_ETL_FORMATS_EVENTS_H
#define TRIVET_ETL_FORMATS_EVENTS_H

#include <stdint.h>

#include "trivet/read/record.h"

enum { TV_EVENTS_MAX = 32, TV_EVENTS_SHOWN = 6, TV_EVENTS_TEXT = 40 };

/* The values of the column, of the whole file: the second kind may come late. */
struct tv_events {
    int column;    /* -1: no column is such */
    char name[64]; /* of the column, for people; "column 4" where the file has no header */
    int n;         /* different values; more than TV_EVENTS_MAX are no kinds, and not counted */
    uint64_t hashes[TV_EVENTS_MAX];
    char words[TV_EVENTS_SHOWN][TV_EVENTS_TEXT]; /* the first of them, fit to be shown */
};

/* Adds a record that was taken. */
void tv_events_add(struct tv_events *events, const struct tv_record *record);

/* Writes the warning that lines of several kinds count alike, with a command that keeps those of one, where their word and the file's name
 * can stand in one; "" where there is nothing to warn of. Returns `out`. */
char *tv_events_warning(const struct tv_events *events, const struct tv_dialect *dialect, const char *file, int has_header, char *out,
                        size_t size);

#endif
