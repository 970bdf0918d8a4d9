/* signatures: functions of the schema whose parameters are no longer those of a file in sql/.
 *
 * "create or replace" makes a function with other parameters beside the old one, and a call by name then fits both. So the old one
 * goes first, in the transaction that makes the new one. Where a view or a function of somebody else's uses it, it stays for them
 * alone, under another name, and calls the new one. */
#ifndef TRIVET_SCHEMA_SIGNATURES_H
#define TRIVET_SCHEMA_SIGNATURES_H

#include "trivet/base/buffer.h"
#include "trivet/store/pg.h"

/* Appends the statements that make way for the functions which `text` creates in schema trivet; nothing where all are as they
 * were. */
enum tv_status tv_signatures_make_way(struct tv_buffer *sql, struct tv_pg *pg, const char *text, struct tv_error *err);
/* Once all files are applied: functions that were put aside and that nobody uses any more are dropped; of the
 * others the log says what uses them. */
enum tv_status tv_signatures_tidy(struct tv_pg *pg, struct tv_error *err);

/* The next function that a text creates in schema trivet, from *at on: its name, and the types of what it takes, with commas. 0:
 * there is none. */
enum { TV_SIGNATURE = 1024 };
int tv_signature_next(const char **at, char *name, char *types);

#endif
