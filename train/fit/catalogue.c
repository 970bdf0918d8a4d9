/* catalogue: item documents into MongoDB's catalogue_<D>_<N>, and the example users of the welcome page. Neither needs
 * anything of the model, so a thread of its own asks Postgres for them, in the same snapshot, while the ratings are
 * read and factorised. The step "write items" waits for it.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/item_documents.h"
#include "train/fit/fit.h"
#include "train/learn/algorithm.h"
#include "trivet/store/pg_rows.h"

/* The documents go into catalogue_<D>_<N>, which nobody reads until the model is whole (life/catalogue.h). */
static enum tv_status write_items(struct tv_fit *f, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    return tv_item_documents_write(f->stores.mongo, tv_model_new_catalogue(name, f->reading.dataset, f->run_number),
                                   f->learning.settings.algorithm->score_kind, f->catalogue.pg, &f->catalogue.listed, err);
}

/* The users that the welcome page offers, as JSON for the model's description. They are called as the data calls
 * them: a code is a string, a number a number. */
static enum tv_status choose_examples(struct tv_fit *f, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    enum tv_status status = tv_pg_query(f->catalogue.pg, "SELECT user_id, ratings, label, (SELECT code FROM trivet.code WHERE kind = 'user' AND id = user_id) "
                                        "FROM trivet.example_users()", 0,
                                        NULL, &rows, err);
    if (status != TV_OK)
        return status;
    json_t *list = json_array();
    for (int i = 0; i < tv_pg_rows_count(rows); i++) {
        const char *code = tv_pg_cell(rows, i, 3);
        json_t *user = code ? json_string(code) : json_integer(atoll(tv_pg_cell(rows, i, 0)));
        json_array_append_new(list, json_pack("{s:o, s:I, s:s}", "user_id", user, "ratings",
                                              (json_int_t)atoll(tv_pg_cell(rows, i, 1)), "label",
                                              tv_pg_cell(rows, i, 2)));
    }
    tv_pg_rows_free(rows);
    f->catalogue.examples = json_dumps(list, 0);
    json_decref(list);
    return f->catalogue.examples ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for example users");
}

/* The thread. Of *f it changes f->catalogue alone, and of what it reads nothing changes meanwhile: the number, and
 * MongoDB's client, which threads may share. */
static void *work(void *context)
{
    struct tv_fit *f = context;
    struct tv_fit_catalogue *c = &f->catalogue;
    c->status = write_items(f, &c->error);
    if (c->status == TV_OK)
        c->status = choose_examples(f, &c->error);
    return NULL;
}

/* The connection is made here, in the caller's thread, because it is the caller's connection that exports the
 * snapshot. After a failure tv_fit_end_catalogue closes it. */
enum tv_status tv_fit_start_catalogue(struct tv_fit *f, struct tv_error *err)
{
    struct tv_fit_catalogue *c = &f->catalogue;
    enum tv_status status = tv_reading_join(&f->reading, &c->pg, err);
    if (status != TV_OK)
        return status;
    int code = pthread_create(&c->thread, NULL, work, f);
    c->started = code == 0;
    return code == 0 ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "cannot start a thread: %s", strerror(code));
}

/* The step "write items", and what a failed training calls before it undoes anything: the thread must not write
 * into a collection that is being dropped. */
enum tv_status tv_fit_end_catalogue(struct tv_fit *f, struct tv_error *err)
{
    struct tv_fit_catalogue *c = &f->catalogue;
    if (c->started)
        pthread_join(c->thread, NULL);
    c->started = 0;
    tv_pg_close(c->pg);
    c->pg = NULL;
    if (c->status != TV_OK && err)
        *err = c->error;
    return c->status;
}
