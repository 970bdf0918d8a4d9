/* filter: which ratings a model is learned from: the values of trivet.user_item's parameters.
 *
 * The command line, the SQL call, the journal and the error messages read the same table of rows (filter_parameters.h).
 */
#ifndef TRIVET_MODEL_FILTER_H
#define TRIVET_MODEL_FILTER_H

#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"
#include "trivet/model/filter_parameters.h"
#include "trivet/store/pg.h"

struct tv_filter; /* opaque: max >= min is kept true once checked */

enum tv_status tv_filter_create(struct tv_filter **out, struct tv_error *err); /* all defaults */
void tv_filter_free(struct tv_filter *f);

/* "min_users_for_item=20": a wrong name is refused with the nearest one, a wrong value with its range. */
enum tv_status tv_filter_set(struct tv_filter *f, const char *assignment, struct tv_error *err);
/* All assignments, then the checks across parameters. */
enum tv_status tv_filter_set_all(struct tv_filter *f, const char *const *assignments, size_t n,
                                 struct tv_error *err);
/* All values of a JSON object, as tv_filter_json writes them or the journal keeps them. Each is checked by itself;
 * the checks across parameters are those of tv_filter_set_all alone. */
enum tv_status tv_filter_set_json(struct tv_filter *f, const char *json, struct tv_error *err);
/* The values of a preset (trivet.save_preset); TV_ERR_NOT_FOUND names it if there is none. */
enum tv_status tv_filter_load_preset(struct tv_filter *f, struct tv_pg *pg, const char *name, struct tv_error *err);
/* The value of an integer parameter, by its name; 0 where it is null. */
int64_t tv_filter_int(const struct tv_filter *f, const char *name);
int tv_filter_is_default(const struct tv_filter *f, const char *name);
/* The name of the first parameter that limits what is learned and not what users are folded in from, and is no cut
 * either; defaults do not count. NULL: there is none. With one of them a trial cannot tell from the rows of the
 * evidence which were learned from: only PostgreSQL knows. */
const char *tv_filter_only_learning(const struct tv_filter *f);
/* The first parameter, TV_FILTER_CUTS aside, that has another value in `b`; NULL: up to the cuts, both choose the same
 * rows. */
const char *tv_filter_other_rows(const struct tv_filter *a, const struct tv_filter *b);

/* A time that PostgreSQL understands, as "yesterday" or "2015-04-01", becomes the moment it means now and in this session's time
 * zone, with its offset: what is kept and read again later is to mean the same then. `*text` is malloc'ed, and replaced. */
enum tv_status tv_settle_time(struct tv_pg *pg, const char *name, char **text, struct tv_error *err);
/* The same for the times of a filter whose values are to be kept. */
enum tv_status tv_filter_settle(struct tv_filter *f, struct tv_pg *pg, struct tv_error *err);
/* Appends a call of `function`: "trivet.user_item(max_items_for_user => 200)". Only values that differ from the
 * default are named, quoted by `pg`. */
enum tv_status tv_filter_call(const struct tv_filter *f, struct tv_pg *pg, enum tv_filter_subset subset,
                              const char *function, struct tv_buffer *sql, struct tv_error *err);
/* All values as a JSON object, defaults included. */
enum tv_status tv_filter_json(const struct tv_filter *f, struct tv_buffer *json, struct tv_error *err);
/* "items with more than 10 rating rows, users with 3 to 50, at most 100,000 rows", for people. */
void tv_filter_describe(const struct tv_filter *f, char *out, size_t size);

#endif
