/* stored: are the lists in users' documents what the model gives? Part of `trivet-train repair`: servers answer
 * with a stored list as it is, so one that is wrong must not stay.
 */
#include "train/lists/stored.h"

#include <omp.h>

#include "train/command/stores.h"
#include "train/lists/lists.h"

/* The context of take_block, with its counts. */
struct comparison {
    const struct tv_model *model;
    struct tv_mongo *mongo;
    int64_t n_read, n_wrong;
};

/* A longer list begins with a shorter one, so lists of the longest length are made for all, and their beginning is
 * compared. Scores are compared bit for bit, because they are sums in one order on every machine. */
static int same(const struct comparison *c, const struct tv_list *l)
{
    const struct tv_user_document *u = l->user;
    if (u->n_top == 0 || u->n_top > l->n_best)
        return 0;
    for (size_t i = 0; i < u->n_top; i++)
        if (u->top[i].integer != c->model->item_ids[l->best[i].item] || u->top[i].real != l->best[i].score)
            return 0;
    return 1;
}

/* Takes a wrong list out of its document, while that is of the rev that was read; a server then makes the list
 * itself. */
static enum tv_status take_block(void *context, const struct tv_list *lists, int n, struct tv_error *err)
{
    struct comparison *c = context;
    struct tv_user_list wrong[TV_LISTS_BLOCK];
    size_t n_wrong = 0;
    for (int i = 0; i < n; i++)
        if (!same(c, &lists[i]))
            wrong[n_wrong++] = (struct tv_user_list){.user_id = lists[i].user->user_id, .rev = lists[i].user->rev};
    c->n_read += n;
    c->n_wrong += (int64_t)n_wrong;
    return n_wrong > 0 ? tv_user_document_drop_lists(c->mongo, c->model->run_number, wrong, n_wrong, err) : TV_OK;
}

/* Lists are made as long as the longest stored one, because `same` compares beginnings. */
enum tv_status tv_stored_check(const struct tv_stores *stores, int64_t run_number, size_t longest, int64_t *n_read,
                               int64_t *n_wrong, struct tv_error *err)
{
    struct comparison c = {.mongo = stores->mongo};
    struct tv_list_maker lists = {.top = longest < TV_LISTS_MOST ? longest : TV_LISTS_MOST,
                                  .n_threads = omp_get_max_threads(),
                                  .interrupted = "the lists that were compared so far are right",
                                  .only_stored = 1,
                                  .take = take_block,
                                  .context = &c};
    enum tv_status status = tv_train_load_model(&lists.model, stores, run_number, err);
    c.model = lists.model;
    if (status == TV_OK)
        status = tv_lists_prepare(&lists, err);
    if (status == TV_OK)
        status = tv_lists_of_all(&lists, stores->mongo, "comparing lists", err);
    tv_lists_free(&lists);
    tv_model_free(lists.model);
    *n_read = c.n_read;
    *n_wrong = c.n_wrong;
    return status;
}
