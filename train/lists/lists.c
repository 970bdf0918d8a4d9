/* lists: the lists of many users of a model, block after block: users are read and lists taken by one thread, and
 * scored in between by all. Memory is that of a block, however many users there are.
 */
#include "train/lists/lists.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/cli/interrupt.h"
#include "trivet/store/mongo_read.h"

int tv_lists_threads(const struct tv_settings *settings)
{
    int n = (int)tv_settings_int(settings, "threads");
    return n > 0 ? n : omp_get_max_threads();
}

/* The items are laid out once for all threads; marks and lists have room of their own in each. */
enum tv_status tv_lists_prepare(struct tv_list_maker *l, struct tv_error *err)
{
    enum tv_status status = tv_scorer_scan(&l->scan, l->model, err);
    if (status == TV_OK && (l->scorers = tv_alloc((size_t)l->n_threads, sizeof *l->scorers, "scores", err)) == NULL)
        status = TV_ERR_NO_MEMORY;
    for (int i = 0; i < l->n_threads && status == TV_OK; i++)
        status = tv_scorer_init(&l->scorers[i], &l->scan, err);
    for (int i = 0; i < TV_LISTS_BLOCK && status == TV_OK; i++)
        if ((l->block[i].best = tv_alloc(l->top, sizeof *l->block[i].best, "lists", err)) == NULL)
            status = TV_ERR_NO_MEMORY;
    return status;
}

void tv_lists_free(struct tv_list_maker *l)
{
    for (int i = 0; i < TV_LISTS_BLOCK; i++) {
        tv_user_document_free(l->block[i].user);
        free(l->block[i].best);
    }
    for (int i = 0; l->scorers && i < l->n_threads; i++)
        tv_scorer_free(&l->scorers[i]);
    free(l->scorers);
    tv_scan_free(&l->scan);
}

/* Makes the lists of the block, hands it on and empties it. */
static enum tv_status end_block(struct tv_list_maker *l, struct tv_error *err)
{
#pragma omp parallel for schedule(dynamic, 8) num_threads(l->n_threads)
    for (int i = 0; i < l->n; i++) {
        struct tv_list *list = &l->block[i];
        list->n_best = tv_scorer_list(&l->scorers[omp_get_thread_num()], list->user, list->best, l->top);
    }
    enum tv_status status = l->take(l->context, l->block, l->n, err);
    for (int i = 0; i < l->n; i++) {
        tv_user_document_free(l->block[i].user);
        l->block[i].user = NULL;
    }
    l->n_users += l->n;
    l->n = 0;
    tv_progress_update(&l->progress, (double)l->n_users);
    if (status == TV_OK && tv_interrupted())
        status = tv_fail(err, TV_ERR_INTERRUPTED, "interrupted; %s", l->interrupted);
    return status;
}

/* Takes the document over, and hands the block on when it is full. */
static enum tv_status add_user(struct tv_list_maker *l, struct tv_user_document *user, struct tv_error *err)
{
    l->block[l->n++].user = user;
    return l->n == TV_LISTS_BLOCK ? end_block(l, err) : TV_OK;
}

/* A document of the model. Where stored lists are compared, one that cannot be read is left out: repair has told of
 * it. */
static enum tv_status take_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct tv_list_maker *l = context;
    struct tv_user_document *user = NULL;
    if (l->only_stored && !tv_user_document_has_list(doc))
        return TV_OK;
    enum tv_status status =
        tv_user_document_read(&user, l->mongo, l->model->run_number, doc, l->model->factors, l->model->n_items, err);
    if (status == TV_ERR_CORRUPT && l->only_stored)
        return TV_OK;
    return status == TV_OK ? add_user(l, user, err) : status;
}

/* Users named by "ID,ID,...", each a number or a code; the first that is not there ends the command. */
static enum tv_status find_users(struct tv_list_maker *l, const struct tv_names *names, struct tv_mongo *mongo,
                                 const char *ids, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    while (*ids && status == TV_OK) {
        size_t n = strcspn(ids, ",");
        struct tv_user_document *user = NULL;
        status = tv_names_find_user(&user, names, mongo, "users", ids, n, err);
        if (status == TV_OK)
            status = add_user(l, user, err);
        ids += n + (ids[n] == ',');
    }
    return status;
}

enum tv_status tv_lists_of_all(struct tv_list_maker *l, struct tv_mongo *mongo, const char *what, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    l->mongo = mongo;
    tv_progress_start(&l->progress, what, "users", (double)l->model->n_users);
    enum tv_status status = tv_mongo_each(mongo, tv_model_users(name, l->model->run_number), take_user, l, err);
    if (status == TV_OK)
        status = end_block(l, err);
    tv_progress_end(&l->progress);
    return status;
}

enum tv_status tv_lists_of_some(struct tv_list_maker *l, const struct tv_names *names, struct tv_mongo *mongo,
                                const char *what, const char *ids, struct tv_error *err)
{
    tv_progress_start(&l->progress, what, "users", 0);
    enum tv_status status = find_users(l, names, mongo, ids, err);
    if (status == TV_OK)
        status = end_block(l, err);
    tv_progress_end(&l->progress);
    return status;
}
