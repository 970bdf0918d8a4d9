/* precompute: the list of every user of a model, stored in their documents, so that a server only has to read it.
 *
 * A document is changed only while it is of the rev that the list was made from: a rating that comes meanwhile wins,
 * and takes an older list away with it. So a list in a document is always the one that a server would make. Users
 * without factors get none: theirs is the popular list, which changes with everybody's ratings.
 */
#include "train/lists/precompute.h"

#include <inttypes.h>
#include <stdlib.h>

#include "train/command/stores.h"
#include "train/lists/lists.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"

const struct tv_option tv_precompute_options[] = {
    {.name = "top",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "100",
     .min = 1,
     .max = TV_LISTS_MOST,
     .help = "items a user; a longer list is made when somebody asks for it"},
    {.name = NULL},
};

/* The context of store_block, and the numbers for the report. `pairs` is room for a block's lists. */
struct work {
    const struct tv_model *model;
    struct tv_mongo *mongo;
    struct tv_pair *pairs; /* (TV_LISTS_BLOCK, top) */
    size_t top;
    int64_t n_users, n_stored;
};

/* Stores the lists of a block with one bulk write. MongoDB changes a document only while it is of the rev that was
 * read, so `written` may be less than the number of lists. */
static enum tv_status store_block(void *context, const struct tv_list *lists, int n, struct tv_error *err)
{
    struct work *w = context;
    struct tv_user_list stored[TV_LISTS_BLOCK];
    size_t n_lists = 0;
    int64_t written = 0;
    for (int i = 0; i < n; i++) {
        const struct tv_list *l = &lists[i];
        struct tv_pair *pairs = w->pairs + n_lists * w->top;
        if (l->n_best == 0)
            continue;
        for (size_t r = 0; r < l->n_best; r++)
            pairs[r] = (struct tv_pair){w->model->item_ids[l->best[r].item], l->best[r].score};
        stored[n_lists++] = (struct tv_user_list){l->user->user_id, l->user->rev, pairs, l->n_best};
    }
    enum tv_status status = tv_user_document_set_lists(w->mongo, w->model->run_number, stored, n_lists, &written, err);
    w->n_users += (int64_t)n_lists;
    w->n_stored += written;
    return status;
}

/* How many lists are stored, and how many were overtaken by a rating. */
static void report(const struct work *w)
{
    char stored[32], users[32];
    tv_log_info("model %" PRId64 ": lists of %zu items stored with %s users", w->model->run_number, w->top,
                tv_text_number(stored, w->n_stored));
    if (w->n_stored < w->n_users)
        tv_log_info("%s others rated something meanwhile: their lists are made when they ask",
                    tv_text_number(users, w->n_users - w->n_stored));
}

static enum tv_status precompute(struct work *w, struct tv_list_maker *l, const struct tv_stores *s, int64_t run_number,
                                 struct tv_error *err)
{
    enum tv_status status = tv_train_load_model(&l->model, s, run_number, err);
    w->model = l->model;
    w->mongo = s->mongo;
    w->pairs = tv_alloc(TV_LISTS_BLOCK * w->top, sizeof *w->pairs, "lists", err);
    if (status == TV_OK && w->pairs == NULL)
        status = TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = tv_lists_prepare(l, err);
    if (status == TV_OK)
        status = tv_lists_of_all(l, s->mongo, "precomputing", err);
    if (status == TV_OK)
        report(w);
    return status;
}

/* Takes the lock, so that no training prunes the model meanwhile. */
enum tv_status tv_precompute_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    struct tv_stores stores;
    struct work w = {.top = (size_t)tv_settings_int(settings, "top")};
    struct tv_list_maker lists = {.top = w.top,
                                  .n_threads = tv_lists_threads(settings),
                                  .interrupted = "the lists that are stored so far stay",
                                  .take = store_block,
                                  .context = &w};
    int64_t run_number = 0;
    enum tv_status status = n > 0 ? tv_train_run_number(arguments[0], &run_number, err) : TV_OK;
    if (status == TV_OK)
        status = tv_interrupt_watch(NULL, err);
    if (status == TV_OK)
        status = tv_train_open(&stores, settings, "precompute", err);
    if (status != TV_OK)
        return status;
    status = precompute(&w, &lists, &stores, run_number, err);
    tv_lists_free(&lists);
    tv_model_free(lists.model);
    free(w.pairs);
    tv_train_close(&stores);
    return status;
}
