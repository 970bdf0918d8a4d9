/* catalogues: collections of item documents. Each belongs to a data set: what a killed run left becomes that set's
 * catalogue or goes, and so does the catalogue of a data set that was dropped. What trivet 0.1.0 had, one collection
 * `item` for all, becomes the catalogue of the live model's data set; `item` is a view from then on.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/inside.h"
#include "trivet/base/text.h"
#include "trivet/model/life/catalogue.h"
#include "trivet/model/run.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/pg_rows.h"

/* --- the one collection of 0.1.0 -------------------------------------------------------------------------- */

/* Whose the documents of `item` are: of the model that is live, or was last; without one, of what is loaded. */
static enum tv_status whose(struct tv_repair *r, int64_t *dataset, struct tv_error *err)
{
    return tv_pg_int(r->journal,
                     "SELECT coalesce((SELECT dataset FROM trivet.run WHERE live_at IS NOT NULL AND dataset IS NOT NULL "
                     "ORDER BY state = 'live' DESC, live_at DESC LIMIT 1), trivet.current_dataset(), 0)",
                     0, NULL, dataset, err);
}

/* A collection beside a catalogue is not trivet's: one that is empty goes, and one with documents ends the command, because
 * no activation could move the view. */
static enum tv_status refuse(struct tv_repair *r, struct tv_error *err)
{
    int64_t n = 0;
    enum tv_status status = tv_mongo_count(r->stores->mongo, "item", &n, err);
    if (status == TV_OK && n == 0) {
        tv_repair_did(r, "item was an empty collection, where a view belongs: dropped");
        return tv_mongo_drop(r->stores->mongo, "item", err);
    }
    if (status != TV_OK)
        return status;
    tv_fail(err, TV_ERR_STORE,
            "MongoDB's database %s has a collection item with %" PRId64 " documents, where trivet has "
            "its view on the live model's items",
            tv_mongo_database(r->stores->mongo), n);
    return tv_hint(err, "give it another name: db.item.renameCollection(\"item_of_mine\"); or drop it: db.item.drop()");
}

/* The documents take their name in one step, so a kill leaves the collection or the catalogue. The view is missing until the
 * live model is shown (repair.c), as after any other loss. */
static enum tv_status upgrade_item(struct tv_repair *r, struct tv_error *err)
{
    char name[TV_MODEL_NAME], *on = NULL;
    int there = 0, before = 0;
    int64_t dataset = 0;
    enum tv_status status = tv_mongo_view_target(r->stores->mongo, "item", &on, err);
    int is_view = on != NULL;
    free(on);
    if (status == TV_OK && !is_view)
        status = tv_mongo_exists(r->stores->mongo, "item", &there, err);
    if (status != TV_OK || !there)
        return status;
    status = whose(r, &dataset, err);
    if (status == TV_OK)
        status = tv_mongo_exists(r->stores->mongo, tv_model_catalogue(name, dataset), &before, err);
    if (status == TV_OK && before)
        return refuse(r, err);
    if (status == TV_OK)
        status = tv_mongo_rename(r->stores->mongo, "item", name, err);
    if (status == TV_OK)
        tv_repair_did(r, "the item documents of an older trivet belong to a data set now: item became %s", name);
    return status;
}

/* --- what runs left --------------------------------------------------------------------------------------- */

/* A walk over collections of item documents, with all that decides about them. */
struct walk {
    struct tv_repair *repair;
    struct tv_run *runs; /* all of the journal */
    size_t n_runs;
    struct tv_repair_ids known; /* data sets */
};

static const struct tv_run *find_run(const struct walk *w, int64_t run_number)
{
    for (size_t i = 0; i < w->n_runs; i++)
        if (w->runs[i].id == run_number)
            return &w->runs[i];
    return NULL;
}

static int is_whole(const struct tv_run *run)
{
    return run->state == TV_RUN_KEPT || run->state == TV_RUN_ACTIVATING || run->state == TV_RUN_LIVE;
}

static enum tv_status publish(struct walk *w, const struct tv_run *run, struct tv_error *err)
{
    const struct tv_catalogue_news news = {
        .dataset = run->dataset, .run_number = run->id, .from_elsewhere = run->kind == TV_RUN_IMPORT};
    return tv_catalogue_publish(w->repair->stores, &news, err);
}

static enum tv_status drop(struct walk *w, const char *name, const char *why, struct tv_error *err)
{
    tv_repair_did(w->repair, "MongoDB's %s %s: deleted", name, why);
    return tv_mongo_drop(w->repair->stores->mongo, name, err);
}

/* item_<N>, of trivet 0.1.0, waited for the moment N went live. An import's documents came with it, and nothing else has
 * them; a training that was kept back would bring back the items of then, so its go. A number that the journal never gave
 * is somebody else's. */
static enum tv_status take_older(void *context, const char *name, struct tv_error *err)
{
    struct walk *w = context;
    char new[TV_MODEL_NAME];
    int64_t run_number = 0;
    const char *digits = name + strlen("item_");
    const struct tv_run *run = tv_text_int64(digits, strlen(digits), &run_number) ? find_run(w, run_number) : NULL;
    if (run == NULL)
        return TV_OK;
    if (!is_whole(run) || run->kind != TV_RUN_IMPORT || run->live_at[0])
        return drop(w, name, "was left behind", err);
    enum tv_status status =
        tv_mongo_rename(w->repair->stores->mongo, name, tv_model_new_catalogue(new, run->dataset, run->id), err);
    if (status == TV_OK)
        tv_repair_did(w->repair, "the item documents of model %" PRId64 " wait no longer: they are those of its data set", run->id);
    return status == TV_OK ? publish(w, run, err) : status;
}

static int is_known(const struct walk *w, int64_t dataset)
{
    for (size_t i = 0; i < w->known.n; i++)
        if (w->known.ids[i] == dataset)
            return 1;
    return dataset == 0; /* models that were learned without any */
}

/* catalogue_<D>, or with anything behind it what somebody was writing who is gone: the caller holds the lock. */
static enum tv_status take_name(void *context, const char *name, struct tv_error *err)
{
    struct walk *w = context;
    int64_t dataset = 0, run_number = 0;
    const char *digits = name + strlen("catalogue_"), *bar = strchr(digits, '_');
    size_t n = bar ? (size_t)(bar - digits) : strlen(digits);
    if (!tv_text_int64(digits, n, &dataset))
        return TV_OK;
    if (!is_known(w, dataset))
        return drop(w, name, "is of a data set that is not there any more", err);
    if (bar == NULL)
        return TV_OK;
    const struct tv_run *run = tv_text_int64(bar + 1, strlen(bar + 1), &run_number) ? find_run(w, run_number) : NULL;
    if (run == NULL || !is_whole(run) || run->dataset != dataset)
        return drop(w, name, "was left behind", err);
    tv_repair_did(w->repair, "the item documents of model %" PRId64 " had not taken their place: they have", run->id);
    return publish(w, run, err);
}

static enum tv_status read_known(struct walk *w, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(w->repair->journal, "SELECT id FROM trivet.dataset", 0, NULL, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++)
        status = tv_repair_keep(&w->known, atoll(tv_pg_cell(rows, i, 0)), 0, err);
    tv_pg_rows_free(rows);
    return status;
}

/* Runs that were building have ended by now, so what stands under a number beside a catalogue is of a whole model, or
 * nobody's. */
enum tv_status tv_repair_catalogues(struct tv_repair *r, struct tv_error *err)
{
    struct walk w = {.repair = r};
    int before = r->changes;
    enum tv_status status = upgrade_item(r, err);
    if (status == TV_OK)
        status = tv_run_list(r->journal, ~0u, &w.runs, &w.n_runs, err);
    if (status == TV_OK)
        status = read_known(&w, err);
    if (status == TV_OK)
        status = tv_mongo_names(r->stores->mongo, "item_", take_older, &w, err);
    if (status == TV_OK)
        status = tv_mongo_names(r->stores->mongo, "catalogue_", take_name, &w, err);
    if (status == TV_OK)
        tv_repair_say(r, "collections of item documents: %s", r->changes > before ? "some were not in their place" : "each of a data set");
    tv_run_list_free(w.runs, w.n_runs);
    tv_repair_ids_free(&w.known);
    return status;
}
