/* import_users: factors and ratings of all users, read in step from six arrays that must agree (export_users.c),
 * and written as documents. Memory is that of one user.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "train/travel/import.h"
#include "trivet/base/hash.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/progress.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/formats/npy.h"
#include "trivet/model/fold_in_document.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_write.h"

/* The arrays in the order they are read for a user. */
enum { IDS, ROWS, FACTORS, START, ITEMS, RATINGS, N_ARRAYS };

static const struct {
    const char *name;
    enum tv_dtype dtype;
    int n_dims;
} arrays[N_ARRAYS] = {
    [IDS] = {TV_FOLDER_USER_IDS, TV_I8, 1},         [ROWS] = {TV_FOLDER_USER_ROWS, TV_I4, 1},
    [FACTORS] = {TV_FOLDER_USER_FACTORS, TV_F2, 2}, [START] = {TV_FOLDER_RATED_START, TV_I8, 1},
    [ITEMS] = {TV_FOLDER_RATED_ITEMS, TV_I8, 1},    [RATINGS] = {TV_FOLDER_RATINGS, TV_F4, 1},
};

/* One pass over the arrays: to check them, or to write documents. */
struct users {
    struct tv_import *import;
    struct tv_npy_reader *readers[N_ARRAYS];
    size_t n_users, n_pairs;
    struct tv_dense_map items;
    struct tv_user_document user; /* its arrays are used again */
    struct tv_user_blobs blobs;
    struct tv_fold_in fold_in; /* this and the next two: to fold in users without factors again (find_why) */
    struct tv_fold_in_model fold_in_model;
    struct tv_fold_in_space space;
    size_t capacity;   /* of seen, rated and ratings */
    int64_t at;        /* the pair where the next user's begin */
    char *rows;        /* (n_learned) 1: a user has that row of the training matrix */
    int64_t n_learned; /* users who have one */
};

/* --- opening ---------------------------------------------------------------------------------------------- */

static const struct tv_npy_shape *shape_of(const struct users *u, int array)
{
    return tv_npy_shape_of(u->readers[array]);
}

/* Refuses an array of another length than the others and the description make due. */
static enum tv_status check_rows(const struct users *u, int array, size_t expected, struct tv_error *err)
{
    if (shape_of(u, array)->rows == expected)
        return TV_OK;
    return tv_fail(err, TV_ERR_INPUT, "%s/%s has %zu rows where %zu belong", u->import->dir, arrays[array].name,
                   shape_of(u, array)->rows, expected);
}

/* Every array must have the number of rows that the description and the others make due, before a row of any is
 * read. */
static enum tv_status open_arrays(struct users *u, struct tv_error *err)
{
    const struct tv_model *m = u->import->model;
    char path[TV_FOLDER_PATH];
    enum tv_status status = TV_OK;
    for (int i = 0; i < N_ARRAYS && status == TV_OK; i++)
        status = tv_npy_open(&u->readers[i], tv_folder_file(path, u->import->dir, arrays[i].name), arrays[i].dtype,
                             arrays[i].n_dims, err);
    if (status != TV_OK)
        return status;
    u->n_users = (size_t)m->n_users;
    u->n_pairs = shape_of(u, ITEMS)->rows;
    const size_t expected[N_ARRAYS] = {
        [IDS] = u->n_users, [ROWS] = u->n_users, [FACTORS] = u->n_users,
        [START] = u->n_users + 1, [ITEMS] = u->n_pairs, [RATINGS] = u->n_pairs,
    };
    for (int i = 0; i < N_ARRAYS && status == TV_OK; i++)
        status = check_rows(u, i, expected[i], err);
    if (status == TV_OK && shape_of(u, FACTORS)->columns != (size_t)m->factors)
        status = tv_fail(err, TV_ERR_INPUT, "%s/%s has %zu columns, the model %d factors", u->import->dir,
                         arrays[FACTORS].name, shape_of(u, FACTORS)->columns, m->factors);
    return status;
}

/* --- one user --------------------------------------------------------------------------------------------- */

/* Room for one user's ratings, which is used again for the next user and grows to the largest. */
static enum tv_status make_room(struct users *u, size_t n, struct tv_error *err)
{
    struct tv_user_document *d = &u->user;
    if (n <= u->capacity)
        return TV_OK;
    free(d->seen);
    free(d->rated);
    free(d->ratings);
    d->seen = tv_alloc(n, sizeof *d->seen, "a user's ratings", err);
    d->rated = tv_alloc(n, sizeof *d->rated, "a user's ratings", err);
    d->ratings = tv_alloc(n, sizeof *d->ratings, "a user's ratings", err);
    u->capacity = d->seen && d->rated && d->ratings ? n : 0;
    return u->capacity ? TV_OK : TV_ERR_NO_MEMORY;
}

/* Fails with the file, the user, and what is wrong with what the file has of that user. */
static enum tv_status wrong(const struct users *u, int array, const char *what, struct tv_error *err)
{
    return tv_fail(err, TV_ERR_INPUT, "%s/%s: user %" PRId64 " %s", u->import->dir, arrays[array].name, u->user.user_id,
                   what);
}

/* Servers and later computations rely on these without looking: ids ascend, rows of the training matrix are there
 * and taken once, factors and ratings are finite, rated items ascend. */
static enum tv_status check_user(struct users *u, int64_t id_before, int is_first, struct tv_error *err)
{
    const struct tv_user_document *d = &u->user;
    if (!is_first && d->user_id <= id_before)
        return wrong(u, IDS, "does not come after the one before", err);
    if (d->row < -1)
        return wrong(u, ROWS, "has a row below -1", err);
    if (d->row >= u->import->model->n_learned)
        return wrong(u, ROWS, "has a row that is none of the training matrix", err);
    if (d->row >= 0 && u->rows[d->row]++)
        return wrong(u, ROWS, "has a row that another user has", err);
    for (int f = 0; f < d->factors; f++)
        if (!tv_half_is_finite(d->value[f]))
            return wrong(u, FACTORS, "has a factor that is not finite", err);
    for (size_t i = 0; i < d->n_rated; i++) {
        if (i > 0 && d->rated[i] <= d->rated[i - 1])
            return wrong(u, ITEMS, "has rated items that do not ascend", err);
        if (!isfinite(d->ratings[i]))
            return wrong(u, RATINGS, "has a rating that is not finite", err);
    }
    return TV_OK;
}

/* Reads the user's ratings. Where they end is checked against the arrays' length before it becomes a size of memory. */
static enum tv_status read_ratings(struct users *u, struct tv_error *err)
{
    struct tv_user_document *d = &u->user;
    int64_t end = 0;
    enum tv_status status = tv_npy_read(u->readers[START], &end, 1, err);
    if (status == TV_OK && (end < u->at || (size_t)end > u->n_pairs))
        status = wrong(u, START, "ends before the ratings begin, or beyond them", err);
    if (status != TV_OK)
        return status;
    d->n_rated = (size_t)(end - u->at);
    u->at = end;
    status = make_room(u, d->n_rated, err);
    if (status == TV_OK)
        status = tv_npy_read(u->readers[ITEMS], d->rated, d->n_rated, err);
    if (status == TV_OK)
        status = tv_npy_read(u->readers[RATINGS], d->ratings, d->n_rated, err);
    return status;
}

/* A user with an item of the model and no factors has a reason in the document (`why`), which the folder does not
 * hold. Folding in gives the same zeros and the reason. */
static enum tv_status find_why(struct users *u, struct tv_error *err)
{
    struct tv_user_document *d = &u->user;
    d->why = NULL;
    if (d->n_seen == 0 || tv_user_document_is_placed(d))
        return TV_OK;
    enum tv_status status =
        tv_fold_in_document(&u->fold_in_model, &u->space, d->user_id, d->rated, d->ratings, d->n_rated, err);
    if (status == TV_OK)
        d->why = u->space.document.why;
    return status;
}

/* The next user, whole, in u->user; `seen` and the code are made from the model's items and the dictionary. */
static enum tv_status read_user(struct users *u, int is_first, struct tv_error *err)
{
    struct tv_user_document *d = &u->user;
    int64_t id_before = d->user_id;
    enum tv_status status = tv_npy_read(u->readers[IDS], &d->user_id, 1, err);
    if (status == TV_OK)
        status = tv_npy_read(u->readers[ROWS], &d->row, 1, err);
    if (status == TV_OK)
        status = tv_npy_read(u->readers[FACTORS], d->value, 1, err);
    if (status == TV_OK)
        status = read_ratings(u, err);
    if (status == TV_OK)
        status = check_user(u, id_before, is_first, err);
    u->n_learned += status == TV_OK && d->row >= 0;
    if (status == TV_OK)
        d->n_seen = tv_folder_seen(&u->items, d->rated, d->n_rated, d->seen);
    d->code = tv_import_user_code(u->import, d->user_id);
    return status == TV_OK ? find_why(u, err) : status;
}

/* Of all pairs every n-th, some two thousand, as JSON: by them the data set that the model would belong to is compared. */
static enum tv_status sample_pairs(struct users *u, struct tv_error *err)
{
    enum { ENOUGH = 2000 };
    const struct tv_user_document *d = &u->user;
    struct tv_buffer *out = &u->import->pairs;
    size_t step = u->n_pairs / ENOUGH + 1, first = (size_t)u->at - d->n_rated;
    enum tv_status status = TV_OK;
    for (size_t i = (step - first % step) % step; i < d->n_rated && status == TV_OK; i += step)
        status = tv_buffer_format(out, err, "%s{\"user_id\":%" PRId64 ",\"item_id\":%" PRId64 "}", out->size ? "," : "[", d->user_id,
                                  d->rated[i]);
    return status;
}

/* --- all of them ------------------------------------------------------------------------------------------ */

/* All users; without a bulk they are only checked. im->users_hash becomes the hash of all documents, with which the
 * read-back compares. */
static enum tv_status add_users(struct users *u, struct tv_mongo_bulk *bulk, struct tv_error *err)
{
    struct tv_progress progress;
    int64_t zero = 0;
    enum tv_status status = tv_npy_read(u->readers[START], &zero, 1, err);
    if (status == TV_OK && zero != 0)
        status = tv_fail(err, TV_ERR_INPUT, "%s/%s does not begin with 0", u->import->dir, arrays[START].name);
    tv_progress_start(&progress, bulk ? "writing users" : "checking users", "users", (double)u->n_users);
    for (size_t i = 0; i < u->n_users && status == TV_OK; i++) {
        status = tv_interrupted() ? tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while reading users")
                                  : read_user(u, i == 0, err);
        if (status == TV_OK && bulk)
            status = tv_user_document_encode(&u->blobs, &u->user, err);
        if (status == TV_OK && bulk)
            status = tv_user_document_add(bulk, u->import->stores.mongo, u->import->run_number, &u->user, &u->blobs,
                                          &u->import->users_hash, err);
        if (status == TV_OK && bulk == NULL)
            status = sample_pairs(u, err);
        tv_progress_update(&progress, (double)i);
    }
    tv_progress_end(&progress);
    if (status == TV_OK && (size_t)u->at != u->n_pairs)
        status = tv_fail(err, TV_ERR_INPUT, "%s/%s ends at %" PRId64 " of %zu ratings", u->import->dir,
                         arrays[START].name, u->at, u->n_pairs);
    if (status == TV_OK && u->n_learned != u->import->model->n_learned)
        status = tv_fail(err, TV_ERR_INPUT,
                         "%s/%s has %" PRId64 " users with a row, " TV_FOLDER_MODEL " says learned is %" PRId64,
                         u->import->dir, arrays[ROWS].name, u->n_learned, u->import->model->n_learned);
    return status;
}

static void free_users(struct users *u)
{
    for (int i = 0; i < N_ARRAYS; i++)
        tv_npy_close(u->readers[i]);
    tv_dense_map_free(&u->items);
    tv_user_blobs_free(&u->blobs);
    tv_fold_in_space_free(&u->space);
    tv_fold_in_model_free(&u->fold_in_model);
    tv_fold_in_free(&u->fold_in);
    free(u->rows);
    free(u->user.value);
    free(u->user.seen);
    free(u->user.rated);
    free(u->user.ratings);
}

/* The number of rows of the training matrix is bounded by that of users before memory for it is asked for. */
static enum tv_status open_users(struct users *u, struct tv_error *err)
{
    const struct tv_model *m = u->import->model;
    tv_user_blobs_init(&u->blobs);
    tv_fold_in_space_init(&u->space);
    tv_dense_map_create(&u->items, m->item_ids, (size_t)m->n_items);
    enum tv_status status = tv_model_fold_in(&u->fold_in, m, err);
    if (status == TV_OK) {
        tv_fold_in_model_init(&u->fold_in_model, &u->fold_in, m->item_ids);
        status = open_arrays(u, err);
    }
    if (status == TV_OK && (m->n_learned < 0 || m->n_learned > m->n_users))
        status = tv_fail(err, TV_ERR_INPUT, "%s/" TV_FOLDER_MODEL ": learned is %" PRId64 " of %" PRId64 " users",
                         u->import->dir, m->n_learned, m->n_users);
    if (status != TV_OK)
        return status;
    u->user.value = tv_alloc((size_t)m->factors, sizeof *u->user.value, "factors", err);
    u->rows = tv_alloc((size_t)m->n_learned + 1, 1, "rows", err);
    return u->user.value && u->rows ? TV_OK : TV_ERR_NO_MEMORY;
}

/* The same indexes that a training makes: by `id`, the row of the training matrix, and by `code` where there are
 * codes. */
static enum tv_status make_indexes(const struct tv_import *im, const char *name, struct tv_error *err)
{
    enum tv_status status = tv_mongo_create_index(im->stores.mongo, name, "id", err);
    return status == TV_OK && im->codes.n > 0 ? tv_mongo_create_index(im->stores.mongo, name, "code", err) : status;
}

static enum tv_status read_users(struct tv_import *im, struct tv_mongo_bulk *bulk, struct tv_error *err)
{
    struct users u = {.import = im, .user = {.factors = im->model->factors}};
    im->users_hash = TV_HASH_START;
    enum tv_status status = open_users(&u, err);
    if (status == TV_OK)
        status = add_users(&u, bulk, err);
    free_users(&u);
    return status;
}

enum tv_status tv_import_check_users(struct tv_import *im, struct tv_error *err)
{
    return read_users(im, NULL, err);
}

enum tv_status tv_import_users(struct tv_import *im, struct tv_error *err)
{
    struct tv_mongo_bulk *bulk = NULL;
    char name[TV_MODEL_NAME];
    enum tv_status status = tv_mongo_bulk_begin(&bulk, im->stores.mongo, tv_model_users(name, im->run_number), err);
    if (status == TV_OK)
        status = read_users(im, bulk, err);
    enum tv_status ended = tv_mongo_bulk_end(bulk, status == TV_OK ? err : NULL);
    status = status == TV_OK ? ended : status;
    return status == TV_OK ? make_indexes(im, name, err) : status;
}
