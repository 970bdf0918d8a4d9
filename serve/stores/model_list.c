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
struct tv_catalog {
    /* guards the pointer, not what it points to: a list does not change once it is made */
    pthread_mutex_t mutex;
    struct tv_catalog_list *list;
};

enum tv_status tv_catalog_create(struct tv_catalog **out, struct tv_error *err)
{
    struct tv_catalog *catalog = tv_alloc(1, sizeof *catalog, "the list of models", err);
    if (catalog == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&catalog->mutex, NULL);
    *out = catalog;
    return TV_OK;
}

/* The last reference frees the list with its descriptions; NULL is fine. */
void tv_catalog_release(struct tv_catalog_list *list)
{
    if (list == NULL || atomic_fetch_sub_explicit(&list->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < list->n; i++)
        free(list->models[i].description);
    free(list);
}

void tv_catalog_free(struct tv_catalog *catalog)
{
    if (catalog == NULL)
        return;
    tv_catalog_release(catalog->list);
    pthread_mutex_destroy(&catalog->mutex);
    free(catalog);
}

/* The count goes up under the mutex, so that `put` cannot give up the last reference in between. */
struct tv_catalog_list *tv_catalog_known(struct tv_catalog *catalog)
{
    pthread_mutex_lock(&catalog->mutex);
    struct tv_catalog_list *list = catalog->list;
    if (list)
        atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&catalog->mutex);
    return list;
}

/* A model that was pruned between the two questions is left out. list->n counts what is there, so a list that fails
 * halfway can be released. */
static enum tv_status read_models(struct tv_catalog_list *list, struct tv_mongo *mongo,
                                  const int64_t *numbers, size_t n, struct tv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct tv_catalog_model *model = &list->models[list->n];
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

static void put(struct tv_catalog *catalog, struct tv_catalog_list *list)
{
    atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    pthread_mutex_lock(&catalog->mutex);
    struct tv_catalog_list *old = catalog->list;
    catalog->list = list;
    pthread_mutex_unlock(&catalog->mutex);
    tv_catalog_release(old);
}

/* `now` is taken before MongoDB is asked, so that a list is never younger than it says. Two threads may read at
 * once; the list that is put in last stays. */
enum tv_status tv_catalog_read(struct tv_catalog *catalog, struct tv_mongo *mongo,
                               struct tv_catalog_list **out, struct tv_error *err)
{
    *out = tv_catalog_known(catalog);
    double now = tv_clock();
    if (*out && now - (*out)->read_at < 1)
        return TV_OK;
    tv_catalog_release(*out);
    *out = NULL;
    int64_t *numbers = NULL;
    size_t n = 0;
    struct tv_catalog_list *list = NULL;
    enum tv_status status = tv_model_list(&numbers, &n, mongo, err);
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
        put(catalog, list);
        *out = list;
        list = NULL;
    }
    tv_catalog_release(list);
    free(numbers);
    return status;
}

/* A failure is the breaker's to tell; pages show the older list. */
void tv_catalog_refresh(struct tv_catalog *catalog, struct tv_mongo *mongo, struct tv_breaker *breaker)
{
    struct tv_catalog_list *list = NULL;
    struct tv_error err = {0};
    if (!tv_breaker_is_up(breaker))
        return;
    if (tv_catalog_read(catalog, mongo, &list, &err) == TV_ERR_UNAVAILABLE)
        tv_breaker_trip(breaker, &err);
    tv_catalog_release(list);
}
