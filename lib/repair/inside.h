/* inside: what the files of repair share. Private to lib/repair.
 *
 * Each check is one function, called in the order that tv_lifecycle_repair gives: it looks, mends what it can, and
 * says with tv_repair_say what it saw. A check is thorough if there is a report (`trivet-train repair`); for every
 * other command it looks only at what takes no pass over ratings or documents. All that is wrong in a store is a
 * finding and no failure, except a collection `user` with documents (kinds.c); a store that does not answer is a
 * failure.
 */
#ifndef TRIVET_REPAIR_INSIDE_H
#define TRIVET_REPAIR_INSIDE_H

#include "trivet/model/life/lifecycle.h"

/* One repair, on the stack of tv_lifecycle_repair; everything it points to is lent. */
struct tv_repair {
    const struct tv_stores *stores;
    struct tv_pg *journal;
    const struct tv_repair_report *report; /* lent; NULL: not thorough */
    int64_t live;                          /* the live model by the journal, or 0 */
    int64_t live_dataset;                  /* that it was learned from */
    int64_t loaded;                        /* the data set that trivet.rating shows, or 0 */
    int64_t longest_list;                  /* of those stored with the live model's users */
    int changes;                           /* what was mended */
    int problems;                          /* what could not be */
};

/* findings.c */
enum tv_repair_finding { TV_REPAIR_DONE, TV_REPAIR_WRONG, TV_REPAIR_SEEN };
void tv_repair_tell(struct tv_repair *r, enum tv_repair_finding kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Something was put right; told in the log. */
#define tv_repair_did(r, ...) tv_repair_tell(r, TV_REPAIR_DONE, __VA_ARGS__)
/* Something is wrong and stays so: told in the log as an error, and counted. */
#define tv_repair_problem(r, ...) tv_repair_tell(r, TV_REPAIR_WRONG, __VA_ARGS__)
/* The line of a check for the report: nothing without one. */
#define tv_repair_say(r, ...) tv_repair_tell(r, TV_REPAIR_SEEN, __VA_ARGS__)

/* Ids of documents that are to be mended, with the rev each had when it was read. Begin with zeros. */
struct tv_repair_ids {
    int64_t *ids, *revs; /* (n) owned */
    size_t n, capacity;
};
/* Appends one; TV_ERR_NO_MEMORY leaves the list as it was. */
enum tv_status tv_repair_keep(struct tv_repair_ids *list, int64_t id, int64_t rev, struct tv_error *err);
void tv_repair_ids_free(struct tv_repair_ids *list);
/* The rev of these documents becomes 0, unless it has changed since: then what Postgres has is newer. */
enum tv_status tv_repair_lower(struct tv_repair *r, const char *collection, const struct tv_repair_ids *list,
                               struct tv_error *err);

/* Reads r->live, r->live_dataset and r->loaded from the journal (live.c). Where the live model's data set is not the
 * one that is loaded, Postgres has nothing to compare its users with. */
enum tv_status tv_repair_read_live(struct tv_repair *r, struct tv_error *err);
static inline int tv_repair_live_is_loaded(const struct tv_repair *r)
{
    return r->live > 0 && r->live_dataset == r->loaded;
}

/* Deletes what is left of a model that is whole in no store, and calls it pruned in the journal. Callers log the
 * loss; here it is only counted as a change. */
enum tv_status tv_repair_give_up(struct tv_repair *r, int64_t run_number, struct tv_error *err);

/* kinds.c: keys of a type, and collections of a kind, that no trivet writes. */
enum tv_status tv_repair_kinds(struct tv_repair *r, struct tv_error *err);
/* catalogues.c: collections of item documents: of which data set, and whether anybody needs them. */
enum tv_status tv_repair_catalogues(struct tv_repair *r, struct tv_error *err);
/* models.c: the item side of every kept model in MongoDB and Redis. */
enum tv_status tv_repair_models(struct tv_repair *r, struct tv_error *err);
/* users.c: the documents of the live model's users; items.c: item documents and their counts. */
enum tv_status tv_repair_users(struct tv_repair *r, struct tv_error *err);
enum tv_status tv_repair_items(struct tv_repair *r, struct tv_error *err);
/* similar.c: the live index of similar items by the journal, and by Redis. */
enum tv_status tv_repair_similar(struct tv_repair *r, struct tv_error *err);

#endif
