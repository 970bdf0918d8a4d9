/* model: one model's item side in memory; names and checksum. model_redis.c and model_mongo.c store it. */
#include "trivet/model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/hash.h"

int tv_model_rank(const struct tv_model *m)
{
    return m->factors - (m->biases ? 2 : 0);
}

void tv_model_free(struct tv_model *m)
{
    if (m == NULL)
        return;
    free(m->item_ids);
    free(m->item_factors);
    free(m->sigma);
    free(m->description);
    free(m);
}

/* The singular values, or what users are folded in with by ALS, are in it because the documents of users depend on
 * them as on the factors. */
uint64_t tv_model_checksum(const struct tv_model *m)
{
    size_t n = (size_t)m->n_items, k = (size_t)m->factors;
    uint64_t h = tv_hash(TV_HASH_START, m->item_ids, n * sizeof *m->item_ids);
    h = tv_hash(h, m->item_factors, n * k * sizeof *m->item_factors);
    if (m->sigma)
        return tv_hash(h, m->sigma, k * sizeof *m->sigma);
    const double solved_with[] = {m->lambda, m->alpha, m->biases};
    return tv_hash(h, solved_with, sizeof solved_with);
}

/* The algorithm is told by its name, as the stores have it: a name that is not known here may be a newer trivet's. */
enum tv_status tv_model_fold_in(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err)
{
    for (const struct tv_model_folding *f = tv_model_foldings; f->algorithm; f++)
        if (strcmp(f->algorithm, m->algorithm) == 0 && (m->sigma || !f->takes_sigma))
            return f->prepare(out, m, err);
    tv_fail(err, TV_ERR_CORRUPT,
            "model %" PRId64 " is of the algorithm \"%s\", which this trivet cannot fold users into", m->run_number,
            m->algorithm);
    return tv_hint(err, "was it trained by a newer one?");
}

/* The collections of a model (docs/formats.md). All have its run number in their names, so that repair finds the
 * rest of a run that was killed. */
char *tv_model_users(char *out, int64_t run_number)
{
    snprintf(out, TV_MODEL_NAME, "user_%" PRId64, run_number);
    return out;
}

char *tv_model_user_parts(char *out, int64_t run_number)
{
    snprintf(out, TV_MODEL_NAME, "parts_%" PRId64, run_number);
    return out;
}

char *tv_model_parts(char *out, int64_t run_number)
{
    snprintf(out, TV_MODEL_NAME, "model_%" PRId64, run_number);
    return out;
}

/* Titles, genres and counts belong to a data set and not to a model, so they have the data set's number alone. */
char *tv_model_catalogue(char *out, int64_t dataset)
{
    snprintf(out, TV_MODEL_NAME, "catalogue_%" PRId64, dataset);
    return out;
}

char *tv_model_new_catalogue(char *out, int64_t dataset, int64_t run_number)
{
    snprintf(out, TV_MODEL_NAME, "catalogue_%" PRId64 "_%" PRId64, dataset, run_number);
    return out;
}
