/* recommend: the lists of all users, or of some, from a kept model, into trivet.recommendation, as CSV or as JSON.
 * It takes no lock while lists are made: a list is of the user's document as it is when it is read. For the table, lists are
 * gathered in one of the session's own, and replace the older ones together at the end, unless something was forgotten, or the
 * model went, meanwhile (sql/016_recommendation.sql). Rows on standard output cannot be taken back: then the program fails, and JSON
 * has no end. lists.c makes the lists, a block at a time; here each row of a list is written out.
 */
#include "train/lists/recommend.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/command/stores.h"
#include "train/lists/lists.h"
#include "train/source/names.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_copy.h"
#include "trivet/store/pg_rows.h"

const struct tv_option tv_recommend_options[] = {
    {.name = "model",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "0",
     .min = 0,
     .max = 9e15,
     .help = "the same as the argument; 0: the live one"},
    {.name = "all", .kind = TV_OPTION_SWITCH, .help = "every user of the model; so it is without --users, too"},
    {.name = "to",
     .kind = TV_OPTION_CHOICE,
     .value = "WHERE",
     .default_text = "csv",
     .choices = "csv|postgres",
     .help = "standard output, as --format says, or the table trivet.recommendation"},
    {.name = "format",
     .kind = TV_OPTION_CHOICE,
     .value = "FORMAT",
     .default_text = "csv",
     .choices = "csv|json",
     .help = "what standard output gets"},
    {.name = "top",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "15",
     .min = 1,
     .max = TV_LISTS_MOST,
     .help = "items a user"},
    {.name = "users", .kind = TV_OPTION_TEXT, .value = "ID,ID,...", .help = "only these users; without it, all"},
    {.name = NULL},
};

/* Where rows go, and how many there were. `out` gathers a block's rows. The model and the names are owned. */
struct work {
    struct tv_model *model;
    struct tv_names names;
    struct tv_pg *pg;    /* NULL: standard output, */
    int json;            /* as JSON, not as CSV; */
    struct tv_pg *guard; /* then this one is asked whether the lists may be; NULL: nobody can tell */
    int64_t forgets;     /* what trivet.lists_begin said */
    struct tv_buffer out;
    int64_t n_users, n_rows;
};

/* --- output ----------------------------------------------------------------------------------------------- */

/* Writes the n lower bytes of a value, highest first, as COPY's binary format has them. */
static void put_be(char *p, uint64_t value, int n)
{
    uint64_t big = htobe64(value);
    memcpy(p, (const char *)&big + 8 - n, (size_t)n);
}

/* A row of COPY's binary format (PostgreSQL manual, "COPY", "Binary Format"), of the columns run_id bigint, user_id
 * bigint, rank int, item_id bigint, score float8: the number of fields, then each field with its length before it.
 * Binary because a score must arrive with all its bits. */
static enum tv_status binary_row(struct work *w, int64_t user, int32_t rank, const struct tv_scored *s,
                                 struct tv_error *err)
{
    char row[2 + 12 + 12 + 8 + 12 + 12];
    uint64_t score_bits;
    memcpy(&score_bits, &s->score, sizeof score_bits);
    const struct {
        uint64_t value;
        int size;
    } fields[] = {{(uint64_t)w->model->run_number, 8},
                  {(uint64_t)user, 8},
                  {(uint64_t)rank, 4},
                  {(uint64_t)w->model->item_ids[s->item], 8},
                  {score_bits, 8}};
    char *p = row;
    put_be(p, 5, 2);
    p += 2;
    for (int i = 0; i < 5; i++) {
        put_be(p, (uint64_t)fields[i].size, 4);
        put_be(p + 4, fields[i].value, fields[i].size);
        p += 4 + fields[i].size;
    }
    return tv_buffer_append(&w->out, row, sizeof row, err);
}

/* Writes the id of a user or an item: a number as it is, a code quoted as CSV or JSON wants it. Where any user (or
 * item) has a code, all are written as texts, so that a column has one type. */
static enum tv_status put_name(struct work *w, const char *name, int codes, struct tv_error *err)
{
    if (!codes)
        return tv_buffer_text(&w->out, name, err);
    return w->json ? tv_buffer_json(&w->out, name, strlen(name), err) : tv_buffer_csv(&w->out, name, err);
}

/* A row as CSV, or as an object of a JSON array, which is written as it grows, so that memory is bounded. Without
 * jansson, because a score is the same text in both forms: jansson writes 3.0 and 1e-5 for what is 3 and 1e-05 here. */
static enum tv_status text_row(struct work *w, const struct tv_user_document *user, int32_t rank,
                               const struct tv_scored *s, int first, struct tv_error *err)
{
    char space[TV_NAMES_SPACE];
    enum tv_status status = w->json ? tv_buffer_text(&w->out, first ? "\n{\"user_id\": " : ",\n{\"user_id\": ", err) : TV_OK;
    if (status == TV_OK)
        status = put_name(w, tv_names_user(user, space), w->names.users, err);
    if (status == TV_OK)
        status = tv_buffer_format(&w->out, err, w->json ? ", \"rank\": %d, \"item_id\": " : ",%d,", (int)rank);
    if (status == TV_OK)
        status = put_name(w, tv_names_item(&w->names, w->model->item_ids[s->item], space), w->names.items, err);
    return status == TV_OK
               ? tv_buffer_format(&w->out, err, w->json ? ", \"score\": %.9g}" : ",%.9g\n", s->score)
               : status;
}

/* Hands the block's rows to Postgres or to standard output. */
static enum tv_status flush(struct work *w, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (w->pg)
        status = tv_pg_copy_put(w->pg, w->out.data, w->out.size, err);
    else if (fwrite(w->out.data, 1, w->out.size, stdout) != w->out.size)
        status = tv_fail(err, TV_ERR_IO, "cannot write to standard output");
    tv_buffer_clear(&w->out);
    return status;
}

/* Writes a user's list. A user without one has no row, and is not counted. */
static enum tv_status write_list(struct work *w, const struct tv_list *s, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t r = 0; r < s->n_best && status == TV_OK; r++, w->n_rows++)
        status = w->pg ? binary_row(w, s->user->user_id, (int32_t)r + 1, &s->best[r], err)
                       : text_row(w, s->user, (int32_t)r + 1, &s->best[r], w->n_rows == 0, err);
    w->n_users += s->n_best > 0;
    return status;
}

/* Takes a block from lists.c: its rows are gathered and sent together. */
static enum tv_status write_block(void *context, const struct tv_list *lists, int n, struct tv_error *err)
{
    struct work *w = context;
    enum tv_status status = TV_OK;
    for (int i = 0; i < n && status == TV_OK; i++)
        status = write_list(w, &lists[i], err);
    return status == TV_OK && w->out.size > 0 ? flush(w, err) : status;
}

/* --- the whole --------------------------------------------------------------------------------------------- */

/* Whether the lists of the model may still be what they are made of: asked before the first is made, and after the last. */
static enum tv_status begin_lists(struct work *w, struct tv_pg *pg, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, w->model->run_number);
    return tv_pg_int(pg, "SELECT trivet.lists_begin($1)", 1, &value, &w->forgets, err);
}

static enum tv_status hold_lists(struct work *w, struct tv_pg *pg, struct tv_error *err)
{
    char number[24], forgets[24];
    const char *const values[] = {number, forgets};
    snprintf(number, sizeof number, "%" PRId64, w->model->run_number);
    snprintf(forgets, sizeof forgets, "%" PRId64, w->forgets);
    return tv_pg_exec(pg, "SELECT trivet.lists_hold($1, $2)", 2, values, err);
}

/* Lists for standard output need no PostgreSQL, and are made without one; so it is said that nobody will be told of a forget. */
static void begin_guard(struct work *w, const struct tv_settings *settings)
{
    struct tv_error why = {0};
    enum tv_status status = tv_schema_open(&w->guard, settings, "trivet-train recommend", &why);
    if (status == TV_OK)
        status = begin_lists(w, w->guard, &why);
    if (status == TV_OK)
        status = hold_lists(w, w->guard, &why);
    if (status == TV_OK)
        return;
    tv_log_reason(TV_LOG_INFO, "should a user or an item be forgotten while these lists are made, nobody will tell", &why);
    tv_pg_close(w->guard);
    w->guard = NULL;
}

static enum tv_status end_guard(struct work *w, struct tv_error *err)
{
    if (w->guard == NULL || hold_lists(w, w->guard, err) == TV_OK)
        return TV_OK;
    return tv_hint(err, "throw away what was written to standard output, and run this again");
}

/* Opens the transaction in which the lists of a model take the place of those it had, and the COPY of the new ones into a table
 * beside. A failure ends it with the connection, and then the old lists stay. The older rows are not touched yet: a forget, or
 * whoever deletes the model, would wait for them until the last list is made. */
static enum tv_status begin_copy(struct work *w, const struct tv_settings *settings, struct tv_error *err)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and the literal's own NUL: 19 bytes */
    enum tv_status status = tv_schema_open(&w->pg, settings, "trivet-train recommend", err);
    if (status == TV_OK)
        status = begin_lists(w, w->pg, err);
    if (status == TV_OK)
        status = tv_pg_exec(w->pg, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(w->pg, "CREATE TEMP TABLE list (LIKE trivet.recommendation) ON COMMIT DROP", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_copy_in(w->pg, "COPY pg_temp.list (run_id, user_id, rank, item_id, score) FROM STDIN (FORMAT binary)", err);
    return status == TV_OK ? tv_buffer_append(&w->out, header, 19, err) : status;
}

/* Puts the lists where everybody sees them, if they may still be. Only the COMMIT makes them visible. */
static enum tv_status replace_lists(struct work *w, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, w->model->run_number);
    enum tv_status status = hold_lists(w, w->pg, err);
    if (status == TV_OK)
        status = tv_pg_exec(w->pg, "DELETE FROM trivet.recommendation WHERE run_id = $1", 1, &value, err);
    if (status == TV_OK)
        status = tv_pg_exec(w->pg,
                            "INSERT INTO trivet.recommendation (run_id, user_id, rank, item_id, score) "
                            "SELECT run_id, user_id, rank, item_id, score FROM pg_temp.list",
                            0, NULL, err);
    return status == TV_OK ? tv_pg_exec(w->pg, "COMMIT", 0, NULL, err) : status;
}

/* The trailer of the binary format is a field count of -1. */
static enum tv_status end_copy(struct work *w, struct tv_error *err)
{
    enum tv_status status = tv_buffer_append(&w->out, "\377\377", 2, err);
    if (status == TV_OK)
        status = flush(w, err);
    if (status == TV_OK)
        status = tv_pg_copy_end(w->pg, NULL, err);
    return status == TV_OK ? replace_lists(w, err) : status;
}

/* Opens the table or writes what stands ahead of the rows: CSV's header, or the bracket of JSON's array. */
static enum tv_status begin_output(struct work *w, const struct tv_settings *settings, struct tv_error *err)
{
    if (strcmp(tv_settings_text(settings, "to"), "postgres") == 0)
        return begin_copy(w, settings, err);
    begin_guard(w, settings);
    w->json = strcmp(tv_settings_text(settings, "format"), "json") == 0;
    return tv_buffer_text(&w->out, w->json ? "[" : "user_id,rank,item_id,score\n", err);
}

/* Ends the rows. Standard output is flushed and asked, because a full disk may show only then. */
static enum tv_status end_output(struct work *w, struct tv_error *err)
{
    if (w->pg)
        return end_copy(w, err);
    enum tv_status status = end_guard(w, err);
    if (status == TV_OK)
        status = tv_buffer_text(&w->out, w->json ? "\n]\n" : "", err);
    if (status == TV_OK)
        status = flush(w, err);
    if (status == TV_OK && fflush(stdout) != 0)
        status = tv_fail(err, TV_ERR_IO, "cannot write to standard output");
    return status;
}

/* Everything with the stores open. The model is loaded before anything is written, so after a wrong number
 * standard output is empty and the table as it was. */
static enum tv_status recommend(struct work *w, struct tv_list_maker *l, const struct tv_stores *s, int64_t run_number,
                                const struct tv_settings *settings, struct tv_error *err)
{
    static const char what[] = "recommending";
    const char *users = tv_settings_text(settings, "users");
    char n_users[32], n_rows[32];
    enum tv_status status = tv_train_load_model(&w->model, s, run_number, err);
    l->model = w->model;
    if (status == TV_OK)
        status = tv_names_open(&w->names, w->model, s->mongo, err);
    if (status == TV_OK)
        status = tv_lists_prepare(l, err);
    if (status == TV_OK)
        status = begin_output(w, settings, err);
    if (status == TV_OK)
        status = users ? tv_lists_of_some(l, &w->names, s->mongo, what, users, err)
                       : tv_lists_of_all(l, s->mongo, what, err);
    if (status == TV_OK)
        status = end_output(w, err);
    if (status == TV_OK)
        tv_log_info("model %" PRId64 ": %s rows for %s users", w->model->run_number, tv_text_number(n_rows, w->n_rows),
                    tv_text_number(n_users, w->n_users));
    return status;
}

/* The model is named by the argument or by --model, but not by both. */
static enum tv_status choose_model(const struct tv_settings *settings, int n, char **arguments, int64_t *run_number,
                                   struct tv_error *err)
{
    *run_number = tv_settings_int(settings, "model");
    if (tv_settings_on(settings, "all") && tv_settings_text(settings, "users"))
        return tv_fail(err, TV_ERR_USAGE, "--all and --users exclude each other");
    if (n == 0)
        return TV_OK;
    if (tv_settings_given(settings, "model"))
        return tv_fail(err, TV_ERR_USAGE, "the model is named twice: %s and --model", arguments[0]);
    return tv_train_run_number(arguments[0], run_number, err);
}

/* The buffer's limit is what a block of the longest lists may take: 1 KB a row, codes included. */
enum tv_status tv_recommend_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    struct tv_stores stores;
    struct work w = {.out = TV_BUFFER_INIT((size_t)TV_LISTS_BLOCK * TV_LISTS_MOST * 1024)};
    struct tv_list_maker lists = {.top = (size_t)tv_settings_int(settings, "top"),
                                  .n_threads = tv_lists_threads(settings),
                                  .interrupted = "nothing was changed",
                                  .take = write_block,
                                  .context = &w};
    int64_t run_number = 0;
    enum tv_status status = choose_model(settings, n, arguments, &run_number, err);
    if (status == TV_OK)
        status = tv_interrupt_watch(NULL, err);
    if (status == TV_OK)
        status = tv_train_open_readonly(&stores, settings, err);
    if (status != TV_OK)
        return status;
    status = recommend(&w, &lists, &stores, run_number, settings, err);
    tv_lists_free(&lists);
    tv_names_close(&w.names);
    tv_model_free(w.model);
    tv_pg_close(w.pg);
    tv_pg_close(w.guard);
    tv_buffer_free(&w.out);
    tv_train_close(&stores);
    return status;
}
