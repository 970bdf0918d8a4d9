/* code_list: the codes of users, or of items, by their numbers, as trivet.code has them (code.h). */
#ifndef TRIVET_MODEL_CODE_LIST_H
#define TRIVET_MODEL_CODE_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/store/pg.h"
#include "trivet/store/pg_rows.h"

/* The codes of one kind, as they were when the list was read: a fit needs one for each item and user, and asks
 * PostgreSQL once. */
struct tv_code_list {
    size_t n;
    int64_t *ids;            /* (n) ascending */
    struct tv_pg_rows *rows; /* their text */
};

/* 1 if any of n ascending ids lies in the dictionary's range. Where none does, as in most rating sets, every id is
 * its own number and there is no list to read. */
int tv_code_list_needed(const int64_t *ids, size_t n);

/* Reads all codes of a kind, "user" or "item". After a failure *out is empty. */
enum tv_status tv_code_list_read(struct tv_code_list *out, struct tv_pg *pg, const char *kind, struct tv_error *err);
/* The code of an id, or NULL: it is its own number. Lives as long as the list; an empty list has none. */
const char *tv_code_list_find(const struct tv_code_list *list, int64_t id);
void tv_code_list_free(struct tv_code_list *list);

#endif
