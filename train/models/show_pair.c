/* show_pair: one score, taken apart: the user's and the item's vector, the products factor by factor and their sum,
 * and beside it the rating that the user really gave.
 *
 * Factors are float16, so their products are exact in float64, and a sum below 32 is exact in any order (top_n.h): what
 * a calculator gives for the printed column is the score.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/lists/scorer.h"
#include "train/models/show.h"
#include "train/source/names.h"
#include "trivet/base/text.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/ratings.h"
#include "trivet/schema/schema.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/pg_rows.h"

/* One user and one item of a model, and all that is shown of them; the model is lent. */
struct pair {
    const struct tv_model *model;
    struct tv_names names;
    int64_t item_id;
    const char *user_name, *item_name; /* as they were asked for */
    int64_t item;                      /* its dense index */
    struct tv_user_document *user;
    char title[1024];                   /* "" where none is known */
    float *user_factors, *item_factors; /* (factors) */
    double score;
    float rating;      /* the mean, where the user has rated the item */
    int64_t n_ratings; /* how often the user rated it, by Postgres; 0: not at all */
};

/* --- asking the stores ------------------------------------------------------------------------------------ */

/* The item's dense index and its title, where MongoDB has one. */
static enum tv_status find_item(struct pair *p, struct tv_mongo *mongo, struct tv_error *err)
{
    const struct tv_model *m = p->model;
    struct tv_mongo_doc *doc = NULL;
    const char *title;
    char name[TV_MODEL_NAME];
    p->item = tv_dense_find(m->item_ids, (size_t)m->n_items, p->item_id);
    if (p->item < 0) {
        tv_fail(err, TV_ERR_NOT_FOUND, "model %" PRId64 " has no item %s", m->run_number, p->item_name);
        tv_hint(err, "trivet-etl why item %s tells which step of the filter leaves it out", p->item_name);
        return TV_ERR_NOT_FOUND;
    }
    enum tv_status status = tv_mongo_find_int(mongo, tv_items_collection(name, m->dataset), "_id", p->item_id, &doc, err);
    if (status == TV_OK && tv_mongo_doc_text(doc, "title", &title))
        tv_text_mark_cut(p->title, sizeof p->title, snprintf(p->title, sizeof p->title, "%s", title));
    tv_mongo_doc_free(doc);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* The user may have rated an item several times, in several loads; the mean is shown, with how many there are. */
static enum tv_status ask_rating(struct pair *p, const struct tv_settings *settings, struct tv_error *err)
{
    static const char sql[] =
        "SELECT count(*), avg(value)::real FROM trivet.rating WHERE user_id = $1::bigint AND item_id = $2::bigint";
    char user[24], item[24];
    const char *const values[] = {user, item};
    struct tv_pg *pg = NULL;
    struct tv_pg_rows *rows = NULL;
    snprintf(user, sizeof user, "%" PRId64, p->user->user_id);
    snprintf(item, sizeof item, "%" PRId64, p->item_id);
    enum tv_status status = tv_schema_open(&pg, settings, "trivet-train show", err);
    if (status == TV_OK)
        status = tv_pg_query(pg, sql, 2, values, &rows, err);
    if (status == TV_OK) {
        p->n_ratings = strtoll(tv_pg_cell(rows, 0, 0), NULL, 10);
        p->rating = p->n_ratings > 0 ? strtof(tv_pg_cell(rows, 0, 1), NULL) : 0;
    }
    tv_pg_rows_free(rows);
    tv_pg_close(pg);
    return status;
}

/* The score is computed as everywhere else, and not as the sum of the column that is printed: so the two check each
 * other. */
static enum tv_status multiply(struct pair *p, struct tv_error *err)
{
    size_t k = (size_t)p->model->factors;
    p->user_factors = tv_alloc(k, sizeof *p->user_factors, "factors", err);
    p->item_factors = tv_alloc(k, sizeof *p->item_factors, "factors", err);
    if (p->user_factors == NULL || p->item_factors == NULL)
        return TV_ERR_NO_MEMORY;
    tv_half_to_floats(p->user_factors, p->user->value, k);
    tv_half_to_floats(p->item_factors, p->model->item_factors + (size_t)p->item * k, k);
    tv_scores(&p->score, p->item_factors, 1, (int)k, p->user_factors);
    return TV_OK;
}

/* --- in words --------------------------------------------------------------------------------------------- */

/* Whether a score is a rating decides how it may be read, so it is said. */
static const char *meaning(const struct tv_model *m)
{
    return strcmp(m->score_kind, "rating") == 0 ? "what the user would rate, on the scale of the ratings"
                                                : "orders items, the best first; it is no rating";
}

static void print_fact(FILE *out, const char *bullet, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One line "name value", of a list where the format has lists. */
static void print_fact(FILE *out, const char *bullet, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(out, "%s%-12s ", bullet, name);
    vfprintf(out, format, args);
    fputc('\n', out);
    va_end(args);
}

/* Prints the facts about the score that stand ahead of the table. */
static void print_facts(const struct pair *p, FILE *out, const char *bullet)
{
    const struct tv_model *m = p->model;
    char rated[32];
    print_fact(out, bullet, "model", "%" PRId64 ", %s, %d factors%s", m->run_number, m->algorithm, tv_model_rank(m),
               m->biases ? " and two biases" : "");
    print_fact(out, bullet, "user", "%s, who rated %s items%s", p->user_name,
               tv_text_number(rated, (long long)p->user->n_rated),
               p->user->n_seen == 0 ? ", none of this model: so all factors are 0"
               : p->user->row < 0   ? ", not learned from, but folded in"
                                    : "");
    print_fact(out, bullet, "item", "%s%s%s", p->item_name, *p->title ? ", " : "", p->title);
    print_fact(out, bullet, "score", "%.8f, the sum of the products below", p->score);
    print_fact(out, bullet, "score kind", "%s: %s", m->score_kind, meaning(m));
}

/* Prints the rating that the user gave. The one in Postgres may be newer than the model, or, after an import, not there
 * at all; then the one in the user's document is told. */
static void print_rating(const struct pair *p, FILE *out, const char *bullet)
{
    static const char name[] = "true rating";
    char rating[TV_TEXT_FLOAT];
    int64_t then = tv_dense_find(p->user->rated, p->user->n_rated, p->item_id);
    if (p->n_ratings > 1)
        print_fact(out, bullet, name, "%s, the mean of %" PRId64, tv_text_float(rating, p->rating), p->n_ratings);
    else if (p->n_ratings == 1)
        print_fact(out, bullet, name, "%s", tv_text_float(rating, p->rating));
    else if (then >= 0)
        print_fact(out, bullet, name, "none in Postgres; %s when the model was made",
                   tv_text_float(rating, p->user->ratings[then]));
    else
        print_fact(out, bullet, name, "none");
}

/* Each factor with both sides, their product, and the sum so far. */
static enum tv_status fill_table(const struct pair *p, struct tv_table *table, enum tv_table_format format,
                                 struct tv_error *err)
{
    char space[TV_SHOW_FACTOR_NAME];
    double sum = 0;
    enum tv_status status = TV_OK;
    for (int f = 0; f < p->model->factors && status == TV_OK; f++) {
        double user = (double)p->user_factors[f], item = (double)p->item_factors[f];
        const double numbers[] = {user, item, user * item, sum += user * item};
        status = tv_table_cell(table, tv_show_factor_name(p->model, f, space), err);
        for (int i = 0; i < 4 && status == TV_OK; i++)
            status = tv_show_number(table, format, numbers[i], err);
    }
    return status;
}

static enum tv_status print_table(const struct pair *p, enum tv_table_format format, struct tv_error *err)
{
    static const char *const names[] = {"factor", "user", "item", "product", "sum"};
    static const enum tv_table_kind kinds[] = {TV_TABLE_TEXT, TV_TABLE_NUMBER, TV_TABLE_NUMBER, TV_TABLE_NUMBER,
                                               TV_TABLE_NUMBER};
    struct tv_table *table = NULL;
    enum tv_status status = tv_table_create(&table, 5, names, kinds, err);
    if (status == TV_OK)
        status = fill_table(p, table, format, err);
    if (status == TV_OK)
        status = tv_table_print(table, format, stdout, err);
    tv_table_free(table);
    return status;
}

/* --- as JSON ---------------------------------------------------------------------------------------------- */

/* One member of the object on a line of its own. Takes the value over; 0 if it could not be written. */
static int put_member(FILE *out, const char *name, json_t *value)
{
    fprintf(out, "  \"%s\": ", name);
    int failed = value == NULL || json_dumpf(value, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) != 0;
    json_decref(value);
    fputs(",\n", out);
    return !failed;
}

/* The same as fill_table, for programs. */
static int put_factors(const struct pair *p, FILE *out)
{
    char space[TV_SHOW_FACTOR_NAME];
    double sum = 0;
    int good = 1;
    fputs("  \"factors\": [", out);
    for (int f = 0; f < p->model->factors; f++) {
        double user = (double)p->user_factors[f], item = (double)p->item_factors[f];
        sum += user * item;
        json_t *factor = json_pack("{s:s, s:f, s:f, s:f, s:f}", "factor", tv_show_factor_name(p->model, f, space), "user",
                                   user, "item", item, "product", user * item, "sum", sum);
        fputs(f ? ",\n    " : "\n    ", out);
        good = factor && json_dumpf(factor, out, JSON_REAL_PRECISION(17)) == 0 && good;
        json_decref(factor);
    }
    fputs("\n  ]\n", out);
    return good;
}

/* Ids are texts where the model has codes, and numbers otherwise. Jansson gives all numbers of a text the same digits, and a
 * rating has fewer than a score (tv_text_float): so it is written member after member. */
static enum tv_status print_json(const struct pair *p, struct tv_error *err)
{
    const struct tv_model *m = p->model;
    FILE *out = stdout;
    char rating[TV_TEXT_FLOAT];
    fputs("{\n", out);
    int good = put_member(out, "model", json_integer((json_int_t)m->run_number));
    good = put_member(out, "algorithm", json_string(m->algorithm)) && good;
    good = put_member(out, "user_id", p->names.users ? json_string(p->user_name) : json_integer(p->user->user_id)) && good;
    good = put_member(out, "item_id", p->names.items ? json_string(p->item_name) : json_integer(p->item_id)) && good;
    good = put_member(out, "title", json_string(p->title)) && good;
    good = put_member(out, "score", json_real(p->score)) && good;
    good = put_member(out, "score_kind", json_string(m->score_kind)) && good;
    good = put_member(out, "meaning", json_string(meaning(m))) && good;
    fprintf(out, "  \"rating\": %s,\n", p->n_ratings > 0 ? tv_text_float(rating, p->rating) : "null");
    good = put_member(out, "ratings", json_integer((json_int_t)p->n_ratings)) && good;
    good = put_factors(p, out) && good;
    fputs("}\n", out);
    return good ? TV_OK : tv_fail(err, TV_ERR_IO, "cannot write JSON");
}

/* With --format csv the table alone goes to standard output, for a program; the facts go to standard error. */
static enum tv_status print_pair(const struct pair *p, enum tv_table_format format, struct tv_error *err)
{
    if (format == TV_TABLE_JSON)
        return print_json(p, err);
    FILE *out = format == TV_TABLE_CSV ? stderr : stdout;
    const char *bullet = format == TV_TABLE_MARKDOWN ? "- " : "";
    print_facts(p, out, bullet);
    print_rating(p, out, bullet);
    if (format != TV_TABLE_CSV)
        printf("\n");
    return print_table(p, format, err);
}

/* MongoDB has the user and the item, Postgres the rating; nothing is printed before all of it is known. */
enum tv_status tv_show_pair(const struct tv_settings *settings, const struct tv_stores *stores,
                            const struct tv_model *model, struct tv_error *err)
{
    struct pair p = {.model = model,
                     .user_name = tv_settings_text(settings, "user"),
                     .item_name = tv_settings_text(settings, "item")};
    enum tv_status status = tv_names_open(&p.names, model, stores->mongo, err);
    if (status == TV_OK)
        status = tv_names_find_item(&p.item_id, &p.names, "item", p.item_name, err);
    if (status == TV_OK)
        status = tv_names_find_user(&p.user, &p.names, stores->mongo, "user", p.user_name, strlen(p.user_name), err);
    if (status == TV_OK)
        status = find_item(&p, stores->mongo, err);
    if (status == TV_OK)
        status = ask_rating(&p, settings, err);
    if (status == TV_OK)
        status = multiply(&p, err);
    if (status == TV_OK)
        status = print_pair(&p, tv_table_format_from(tv_settings_text(settings, "format")), err);
    tv_names_close(&p.names);
    tv_user_document_free(p.user);
    free(p.user_factors);
    free(p.item_factors);
    return status;
}
