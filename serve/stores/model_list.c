/* model_list: the model list: which models MongoDB keeps. Reading it takes a question for the names and one for each
 * model's description; so a list is kept for a second, and shared by all who ask meanwhile.
 */
#include "serve/stores/model_list.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/model/model.h"
#include "trivet/model/model_mongo.h"

/* The list that was read last. */
struct tv_model_list {
    /* guards the pointer, not what it points to: a list does not change once it is made */
    pthread_mutex_t mutex;
    struct tv_listed_models *list;
};

enum tv_status tv_model_list_create(struct tv_model_list **out, struct tv_error *err)
{
    struct tv_model_list *model_list = tv_alloc(1, sizeof *model_list, "the list of models", err);
    if (model_list == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&model_list->mutex, NULL);
    *out = model_list;
    return TV_OK;
}

/* The last reference frees the list with its descriptions; NULL is fine. */
void tv_model_list_release(struct tv_listed_models *list)
{
    if (list == NULL || atomic_fetch_sub_explicit(&list->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < list->n; i++)
        free(list->models[i].description);
    free(list);
}

void tv_model_list_free(struct tv_model_list *model_list)
{
    if (model_list == NULL)
        return;
    tv_model_list_release(model_list->list);
    pthread_mutex_destroy(&model_list->mutex);
    free(model_list);
}

/* The count goes up under the mutex, so that `put` cannot give up the last reference in between. */
struct tv_listed_models *tv_model_list_known(struct tv_model_list *model_list)
{
    pthread_mutex_lock(&model_list->mutex);
    struct tv_listed_models *list = model_list->list;
    if (list)
        atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&model_list->mutex);
    return list;
}

/* A model that was pruned between the two questions is left out. list->n counts what is there, so a list that fails
 * halfway can be released. */
static enum tv_status read_models(struct tv_listed_models *list, struct tv_mongo *mongo, const int64_t *numbers,
                                  size_t n, struct tv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct tv_listed_model *model = &list->models[list->n];
        enum tv_status status = tv_model_description(&model->description, mongo, numbers[i], err);
        if (status == TV_ERR_NOT_FOUND)
            continue;
        if (status != TV_OK)
            return status;
        tv_model_info_read(&model->info, numbers[i], model->description);
        list->n++;
    }
    return TV_OK;
}

static void put(struct tv_model_list *model_list, struct tv_listed_models *list)
{
    atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    pthread_mutex_lock(&model_list->mutex);
    struct tv_listed_models *old = model_list->list;
    model_list->list = list;
    pthread_mutex_unlock(&model_list->mutex);
    tv_model_list_release(old);
}

/* `now` is taken before MongoDB is asked, so that a list is never younger than it says. Two threads may read at
 * once; the list that is put in last stays. */
enum tv_status tv_model_list_read(struct tv_model_list *model_list, struct tv_mongo *mongo,
                                  struct tv_listed_models **out, struct tv_error *err)
{
    *out = tv_model_list_known(model_list);
    double now = tv_clock();
    if (*out && now - (*out)->read_at < 1)
        return TV_OK;
    tv_model_list_release(*out);
    *out = NULL;
    int64_t *numbers = NULL;
    size_t n = 0;
    struct tv_listed_models *list = NULL;
    enum tv_status status = tv_model_run_numbers(&numbers, &n, mongo, err);
    if (status == TV_OK) {
        list = tv_alloc(1, sizeof *list + n * sizeof list->models[0], "the list of models", err);
        status = list ? TV_OK : TV_ERR_NO_MEMORY;
    }
    if (status == TV_OK) {
        list->references = 1;
        list->read_at = now;
        status = read_models(list, mongo, numbers, n, err);
    }
    if (status == TV_OK) {
        put(model_list, list);
        *out = list;
        list = NULL;
    }
    tv_model_list_release(list);
    free(numbers);
    return status;
}

/* A failure is the breaker's to tell; pages show the older list. */
void tv_model_list_refresh(struct tv_model_list *model_list, struct tv_mongo *mongo, struct tv_breaker *breaker)
{
    struct tv_listed_models *list = NULL;
    struct tv_error err = {0};
    if (!tv_breaker_is_up(breaker))
        return;
    if (tv_model_list_read(model_list, mongo, &list, &err) == TV_ERR_UNAVAILABLE)
        tv_breaker_trip(breaker, &err);
    tv_model_list_release(list);
}
