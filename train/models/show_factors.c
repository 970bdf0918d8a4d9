/* show_factors: the first rows of a model's item factors, or of its users', with what they belong to: to look into
 * a model, and to compare with what a notebook reads.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/models/show.h"
#include "train/source/names.h"
#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"
#include "trivet/model/code_list.h"
#include "trivet/model/items.h"
#include "trivet/model/user_document.h"
#include "trivet/store/mongo_read.h"

/* The table that grows. Columns are the id, one or two facts, and the factors. */
struct listing {
    struct tv_table *table;
    enum tv_table_format format;
    const struct tv_model *model;
    struct tv_mongo *mongo;
    int64_t n, limit;
};

/* A column before the factors. */
struct fact {
    const char *name;
    enum tv_table_kind kind;
};

/* A model has any number of factors, so names of columns are made: "1", "2", ... behind those of the facts. */
static enum tv_status make_table(struct listing *l, const struct fact *facts, int n_facts, struct tv_error *err)
{
    size_t n = (size_t)n_facts + (size_t)l->model->factors;
    const char **names = tv_alloc(n, sizeof *names, "a table", err);
    enum tv_table_kind *kinds = tv_alloc(n, sizeof *kinds, "a table", err);
    char(*numbers)[TV_SHOW_FACTOR_NAME] = tv_alloc((size_t)l->model->factors, sizeof *numbers, "a table", err);
    enum tv_status status = names && kinds && numbers ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t c = 0; c < n && status == TV_OK; c++) {
        int is_fact = c < (size_t)n_facts, f = (int)c - n_facts;
        names[c] = is_fact ? facts[c].name : tv_show_factor_name(l->model, f, numbers[f]);
        kinds[c] = is_fact ? facts[c].kind : TV_TABLE_NUMBER;
    }
    if (status == TV_OK)
        status = tv_table_create(&l->table, (int)n, names, kinds, err);
    free(names);
    free(kinds);
    free(numbers);
    return status;
}

/* The cells of one row behind its facts, and the count of rows. */
static enum tv_status add_factors(struct listing *l, const uint16_t *factors, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int f = 0; f < l->model->factors && status == TV_OK; f++)
        status = tv_show_number(l->table, l->format, (double)tv_half_to_float(factors[f]), err);
    l->n++;
    return status;
}

/* Lists items in the order of the model, which is that of their ids; an item without a document has no title. */
static enum tv_status list_items(struct listing *l, struct tv_mongo *mongo, struct tv_error *err)
{
    const struct tv_model *m = l->model;
    int codes = tv_code_list_needed(m->item_ids, (size_t)m->n_items);
    const struct fact facts[] = {{"item_id", codes ? TV_TABLE_TEXT : TV_TABLE_NUMBER}, {"title", TV_TABLE_TEXT}};
    struct tv_items items;
    enum tv_status status = tv_items_read(&items, mongo, m->dataset, err);
    if (status != TV_OK)
        return status;
    status = make_table(l, facts, 2, err);
    for (int32_t i = 0; i < m->n_items && i < l->limit && status == TV_OK; i++) {
        const struct tv_item *item = tv_items_find(&items, m->item_ids[i]);
        status = item && item->code ? tv_table_cell(l->table, item->code, err)
                                    : tv_table_int(l->table, m->item_ids[i], err);
        if (status == TV_OK)
            status = tv_table_cell(l->table, item ? item->title : NULL, err);
        if (status == TV_OK)
            status = add_factors(l, m->item_factors + (size_t)i * (size_t)m->factors, err);
    }
    tv_items_free(&items);
    return status;
}

/* One user's row. TV_ERR_NOT_FOUND, without a message, once there are enough: it ends the reading, and list_users
 * knows it. */
static enum tv_status take_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct listing *l = context;
    struct tv_user_document *user = NULL;
    if (l->n == l->limit)
        return TV_ERR_NOT_FOUND;
    enum tv_status status =
        tv_user_document_read(&user, l->mongo, l->model->run_number, doc, l->model->factors, l->model->n_items, err);
    if (status == TV_OK)
        status = user->code ? tv_table_cell(l->table, user->code, err) : tv_table_int(l->table, user->user_id, err);
    if (status == TV_OK)
        status = user->row < 0 ? tv_table_cell(l->table, NULL, err) : tv_table_int(l->table, user->row, err);
    if (status == TV_OK)
        status = tv_table_int(l->table, (long long)user->n_rated, err);
    if (status == TV_OK)
        status = add_factors(l, user->value, err);
    tv_user_document_free(user);
    return status;
}

/* Lists users in the order of their ids. tv_names is opened only to learn whether any user has a code, which decides
 * the type of the first column. */
static enum tv_status list_users(struct listing *l, struct tv_mongo *mongo, struct tv_error *err)
{
    struct tv_names names;
    char name[TV_MODEL_NAME];
    enum tv_status status = tv_names_open(&names, l->model, mongo, err);
    const struct fact facts[] = {{"user_id", names.users ? TV_TABLE_TEXT : TV_TABLE_NUMBER},
                                 {"row", TV_TABLE_NUMBER},
                                 {"n", TV_TABLE_NUMBER}};
    tv_names_close(&names);
    if (status == TV_OK)
        status = make_table(l, facts, 3, err);
    if (status == TV_OK)
        status = tv_mongo_each(mongo, tv_model_users(name, l->model->run_number), take_user, l, err);
    return status == TV_ERR_NOT_FOUND && l->n == l->limit ? TV_OK : status;
}

enum tv_status tv_show_factors(const struct tv_settings *settings, const struct tv_stores *stores,
                               const struct tv_model *model, struct tv_error *err)
{
    struct listing l = {.format = tv_table_format_from(tv_settings_text(settings, "format")),
                        .model = model,
                        .mongo = stores->mongo,
                        .limit = tv_settings_int(settings, "limit")};
    int of_users = tv_settings_text(settings, "factors")[0] == 'u';
    enum tv_status status = of_users ? list_users(&l, stores->mongo, err) : list_items(&l, stores->mongo, err);
    if (status == TV_OK)
        status = tv_table_print(l.table, l.format, stdout, err);
    tv_table_free(l.table);
    return status;
}
