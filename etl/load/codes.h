/* codes: the dictionary of ids that are text, while a load reads (include/trivet/base/code.h).
 *
 * The codes of trivet.code at the beginning are in memory, each code met for the first time gets the next number, and
 * these new ones go back to Postgres at the end, inside the load's transaction: a load that fails leaves the
 * dictionary as it was. A code takes its bytes and some 50 more.
 */
#ifndef TRIVET_ETL_LOAD_CODES_H
#define TRIVET_ETL_LOAD_CODES_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/store/pg.h"

enum tv_code_kind { TV_CODE_USER, TV_CODE_ITEM, TV_CODE_KINDS };

struct tv_codes;

enum tv_status tv_codes_create(struct tv_codes **out, struct tv_error *err);
void tv_codes_free(struct tv_codes *codes); /* NULL is fine */

/* Reads the codes of a data set, by its number as text; "" of one that is new. The caller holds the lock that loads share, so
 * that no other load gives numbers away. */
enum tv_status tv_codes_read(struct tv_codes *codes, struct tv_pg *pg, const char *dataset, struct tv_error *err);
/* The number of a code; a new one gets one. `text` is a code that tv_code_refusal lets through. */
enum tv_status tv_codes_number(struct tv_codes *codes, enum tv_code_kind kind, const char *text, size_t n,
                               int64_t *id, struct tv_error *err);
/* Copies the new ones into pg_temp.load_code. */
enum tv_status tv_codes_write(const struct tv_codes *codes, struct tv_pg *pg, struct tv_error *err);
/* How many of a kind are new. */
size_t tv_codes_new(const struct tv_codes *codes, enum tv_code_kind kind);

#endif
