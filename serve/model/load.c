/* load: reads what a resident model is made of. The two halves come from two stores and are made ready by their own work, so each
 * has a thread: ours reads factors, the other one the catalogue.
 */
#include "serve/model/load.h"

#include <pthread.h>
#include <string.h>

#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"

/* The other thread's, until it is joined. */
struct catalogue_work {
    struct tv_mongo *mongo; /* lent */
    int64_t dataset;
    struct tv_catalogue *catalogue;
    enum tv_status status;
    struct tv_error error;
};

static void *read_catalogue(void *context)
{
    struct catalogue_work *work = context;
    work->status = tv_catalogue_read(&work->catalogue, work->mongo, work->dataset, &work->error);
    return NULL;
}

/* A model whose arrays are not read yet. The description tells what they were made of; those of older models are in MongoDB
 * alone. */
static enum tv_status read_head(struct tv_model **out, struct tv_redis *redis, struct tv_mongo *mongo, int64_t run_number,
                                struct tv_error *err)
{
    enum tv_status status = tv_model_read_head(out, redis, run_number, err);
    if (status == TV_OK && (*out)->description == NULL)
        status = tv_model_description(&(*out)->description, mongo, run_number, err);
    return status;
}

/* The same bytes have the same checksum, and `forget` gives a model another one. */
static enum tv_status read_side(struct tv_item_side **out, struct tv_model *model, struct tv_redis *redis,
                                const struct tv_resident *held, struct tv_error *err)
{
    if (held && held->side && held->run_number == model->run_number && held->side->checksum == model->checksum &&
        held->side->factors == model->factors && held->side->n_items == model->n_items) {
        *out = tv_item_side_acquire(held->side);
        return TV_OK;
    }
    enum tv_status status = tv_model_read_arrays(model, redis, err);
    return status == TV_OK ? tv_item_side_create(out, model, err) : status;
}

/* Both halves. Where no thread can be had they come one after the other. */
static enum tv_status read_halves(struct tv_item_side **side, struct tv_catalogue **catalogue, struct tv_model *model,
                                  struct tv_redis *redis, struct tv_mongo *mongo, const struct tv_resident *held,
                                  struct tv_error *err)
{
    struct catalogue_work work = {.mongo = mongo, .dataset = model->dataset};
    pthread_t thread;
    int is_apart = pthread_create(&thread, NULL, read_catalogue, &work) == 0;
    enum tv_status status = read_side(side, model, redis, held, err);
    if (is_apart)
        pthread_join(thread, NULL);
    else
        read_catalogue(&work);
    *catalogue = work.catalogue;
    if (status == TV_OK && work.status != TV_OK) {
        status = work.status;
        if (err)
            *err = work.error;
    }
    return status;
}

enum tv_status tv_resident_load(struct tv_resident **out, struct tv_redis *redis, struct tv_mongo *mongo, int64_t run_number,
                                const struct tv_resident *held, struct tv_error *err)
{
    struct tv_model *model = NULL;
    struct tv_item_side *side = NULL;
    struct tv_catalogue *catalogue = NULL;
    enum tv_status status = read_head(&model, redis, mongo, run_number, err);
    if (status == TV_OK)
        status = read_halves(&side, &catalogue, model, redis, mongo, held, err);
    if (status == TV_OK)
        status = tv_resident_create(out, model, side, catalogue, err);
    else {
        tv_item_side_release(side);
        tv_catalogue_release(catalogue);
    }
    tv_model_free(model);
    return status;
}

enum tv_status tv_resident_load_catalogue(struct tv_resident **out, struct tv_mongo *mongo, int64_t dataset,
                                          struct tv_error *err)
{
    struct tv_catalogue *catalogue = NULL;
    enum tv_status status = tv_catalogue_read(&catalogue, mongo, dataset, err);
    return status == TV_OK ? tv_resident_create(out, NULL, NULL, catalogue, err) : status;
}
