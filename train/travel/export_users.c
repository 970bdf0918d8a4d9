/* export_users: factors and ratings of all users, from MongoDB one document after the other into six arrays that
 * grow together, so that memory is that of one user. users.csv has a line a user for people.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/travel/export.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/progress.h"
#include "trivet/model/user_document.h"
#include "trivet/store/mongo_read.h"

/* The arrays of users. START has one entry more than there are users: the ratings of user i are those from START[i]
 * to START[i+1] - 1 of ITEMS and RATINGS. */
enum { IDS, ROWS, FACTORS, START, ITEMS, RATINGS, N_ARRAYS };

static const struct {
    const char *name;
    enum tv_dtype dtype;
} arrays[N_ARRAYS] = {
    [IDS] = {TV_FOLDER_USER_IDS, TV_I8},         [ROWS] = {TV_FOLDER_USER_ROWS, TV_I4},
    [FACTORS] = {TV_FOLDER_USER_FACTORS, TV_F2}, [START] = {TV_FOLDER_RATED_START, TV_I8},
    [ITEMS] = {TV_FOLDER_RATED_ITEMS, TV_I8},    [RATINGS] = {TV_FOLDER_RATINGS, TV_F4},
};

/* The pass over users: open files, and how far they are written. */
struct users {
    struct tv_export *export;
    struct tv_npy_writer *writers[N_ARRAYS];
    FILE *csv;
    int32_t *seen; /* (capacity) */
    size_t capacity;
    int64_t n, n_rated;
    struct tv_progress progress;
};

/* `seen` is not written, because it follows from `rated` and the model's items. That it does is made sure of here, or
 * an import would make another document than the one that was exported. */
static enum tv_status check_seen(struct users *u, const struct tv_user_document *user, struct tv_error *err)
{
    if (user->n_rated > u->capacity) {
        free(u->seen);
        u->capacity = 0;
        if ((u->seen = tv_alloc(user->n_rated, sizeof *u->seen, "a user's ratings", err)) == NULL)
            return TV_ERR_NO_MEMORY;
        u->capacity = user->n_rated;
    }
    size_t n = tv_folder_seen(&u->export->items, user->rated, user->n_rated, u->seen);
    if (n == user->n_seen && (n == 0 || memcmp(u->seen, user->seen, n * sizeof *u->seen) == 0))
        return TV_OK;
    return tv_fail(err, TV_ERR_CORRUPT, "user %" PRId64 " of model %" PRId64 " has seen other items than those rated",
                   user->user_id, u->export->model->run_number);
}

/* A user with ratings that the model did not learn from has no row of the training matrix, and an empty cell there. */
static enum tv_status write_line(const struct users *u, const struct tv_user_document *user, struct tv_error *err)
{
    struct tv_buffer line = TV_BUFFER_INIT(4096);
    char row[16] = "";
    if (user->row >= 0)
        snprintf(row, sizeof row, "%d", (int)user->row);
    enum tv_status status = tv_buffer_format(&line, err, "%" PRId64 ",%s,%zu", user->user_id, row, user->n_rated);
    if (status == TV_OK && u->export->names.users)
        status = tv_buffer_text(&line, ",", err);
    if (status == TV_OK && user->code)
        status = tv_buffer_csv(&line, user->code, err);
    if (status == TV_OK && fprintf(u->csv, "%s\r\n", tv_buffer_string(&line)) < 0)
        status = tv_fail(err, TV_ERR_IO, "cannot write " TV_FOLDER_USERS_CSV);
    tv_buffer_free(&line);
    return status;
}

/* One user, appended to every array. */
static enum tv_status write_user(struct users *u, const struct tv_user_document *user, struct tv_error *err)
{
    int64_t end = u->n_rated + (int64_t)user->n_rated;
    const struct {
        const void *data;
        size_t n;
    } rows[N_ARRAYS] = {
        [IDS] = {&user->user_id, 1}, [ROWS] = {&user->row, 1},  [FACTORS] = {user->value, 1},
        [START] = {&end, 1},         [ITEMS] = {user->rated, user->n_rated},
        [RATINGS] = {user->ratings, user->n_rated},
    };
    enum tv_status status = TV_OK;
    for (int i = 0; i < N_ARRAYS && status == TV_OK; i++)
        status = tv_npy_write(u->writers[i], rows[i].data, rows[i].n, err);
    if (status == TV_OK && user->code)
        status = tv_export_code(u->export, "user", user->user_id, user->code, err);
    if (status == TV_OK)
        status = write_line(u, user, err);
    u->n_rated = end;
    u->n++;
    return status;
}

/* Documents come in the order of user ids, so all arrays ascend with them. */
static enum tv_status take_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct users *u = context;
    const struct tv_model *m = u->export->model;
    struct tv_user_document *user = NULL;
    if (tv_interrupted())
        return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while writing users");
    enum tv_status status =
        tv_user_document_read(&user, u->export->stores.mongo, m->run_number, doc, m->factors, m->n_items, err);
    if (status == TV_OK)
        status = check_seen(u, user, err);
    if (status == TV_OK)
        status = write_user(u, user, err);
    tv_user_document_free(user);
    tv_progress_update(&u->progress, (double)u->n);
    return status;
}

/* Opens all files; START begins with 0, the place of the first user's first rating. */
static enum tv_status create_files(struct users *u, struct tv_error *err)
{
    static const int64_t zero = 0;
    const struct tv_export *e = u->export;
    char path[TV_FOLDER_PATH];
    enum tv_status status = tv_folder_open_text(&u->csv, &e->folder, TV_FOLDER_USERS_CSV, err);
    for (int i = 0; i < N_ARRAYS && status == TV_OK; i++)
        status = tv_npy_create(&u->writers[i], tv_folder_file(path, e->folder.partial, arrays[i].name), arrays[i].dtype,
                               i == FACTORS ? (size_t)e->model->factors : 0, err);
    if (status == TV_OK && fputs(e->names.users ? "user_id,row,n,code\r\n" : "user_id,row,n\r\n", u->csv) < 0)
        status = tv_fail(err, TV_ERR_IO, "cannot write " TV_FOLDER_USERS_CSV);
    return status == TV_OK ? tv_npy_write(u->writers[START], &zero, 1, err) : status;
}

/* Completes the arrays' headers, which say how many rows there are; after a failure it only closes what is open. */
static enum tv_status finish_files(struct users *u, enum tv_status status, struct tv_error *err)
{
    for (int i = 0; i < N_ARRAYS; i++)
        if (status == TV_OK)
            status = tv_npy_finish(u->writers[i], err);
        else
            tv_npy_abandon(u->writers[i]);
    enum tv_status closed = tv_folder_close_text(u->csv, TV_FOLDER_USERS_CSV, status == TV_OK ? err : NULL);
    return status == TV_OK ? closed : status;
}

/* The description's number is that of the training: single ratings of new users add documents. Fewer are damage
 * (trivet-train repair tells of it), and would be an incomplete model elsewhere. */
enum tv_status tv_export_users(struct tv_export *e, struct tv_error *err)
{
    struct users u = {.export = e};
    char name[TV_MODEL_NAME];
    tv_model_users(name, e->model->run_number);
    enum tv_status status = create_files(&u, err);
    tv_progress_start(&u.progress, "writing users", "users", (double)e->model->n_users);
    if (status == TV_OK)
        status = tv_mongo_each(e->stores.mongo, name, take_user, &u, err);
    tv_progress_end(&u.progress);
    e->n_users = u.n;
    if (status == TV_OK && u.n < e->model->n_users)
        status = tv_fail(err, TV_ERR_CORRUPT, "MongoDB has %" PRId64 " of the %" PRId64 " users of %s", u.n,
                         e->model->n_users, name);
    free(u.seen);
    return finish_files(&u, status, err);
}
