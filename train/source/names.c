/* names: users and items as people name them. Whatever computes has numbers alone; codes come in and go out here. */
#include "train/source/names.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/code.h"
#include "trivet/base/text.h"
#include "trivet/model/code_list.h"

/* The model's description says whether any of its users has a code; item codes are told by the ids themselves. */
static int has_user_codes(const struct tv_model *model)
{
    json_t *description = model->description ? json_loads(model->description, 0, NULL) : NULL;
    int has = json_is_true(json_object_get(json_object_get(description, "codes"), "users"));
    json_decref(description);
    return has;
}

/* Codes of items stand in the catalogue, which is read only where there are any. A user's code stands in the user's
 * document. */
enum tv_status tv_names_open(struct tv_names *names, const struct tv_model *model, struct tv_mongo *mongo,
                             struct tv_error *err)
{
    *names = (struct tv_names){.model = model,
                               .users = has_user_codes(model),
                               .items = tv_code_list_needed(model->item_ids, (size_t)model->n_items)};
    return names->items ? tv_items_read(&names->codes, mongo, model->dataset, err) : TV_OK;
}

void tv_names_close(struct tv_names *names)
{
    tv_items_free(&names->codes);
}

/* 1 in *is_number and *id for a number; 0 for a code, where there are such; else an error. Without codes a number
 * may have any form, such as 007. */
static enum tv_status read_id(int64_t *id, int *is_number, int codes, const char *flag, const char *text, size_t n,
                              struct tv_error *err)
{
    *is_number = tv_code_is_number(text, n, id) || (!codes && tv_text_int64(text, n, id));
    if (*is_number || (codes && tv_code_refusal(text, n) == NULL))
        return TV_OK;
    return tv_fail(err, TV_ERR_USAGE, "--%s is \"%.*s\", which is no id", flag, (int)n, text);
}

/* The bytes are part of a longer text, so a code is copied; read_id has seen that it is short enough. */
enum tv_status tv_names_find_user(struct tv_user_document **out, const struct tv_names *names, struct tv_mongo *mongo,
                                  const char *flag, const char *text, size_t n, struct tv_error *err)
{
    const struct tv_model *m = names->model;
    char code[TV_CODE_MAX + 1];
    int64_t id = 0;
    int is_number;
    enum tv_status status = read_id(&id, &is_number, names->users, flag, text, n, err);
    if (status != TV_OK)
        return status;
    if (is_number) {
        status = tv_user_document_find(out, mongo, m->run_number, id, m->factors, m->n_items, err);
    } else {
        snprintf(code, sizeof code, "%.*s", (int)n, text);
        status = tv_user_document_find_code(out, mongo, m->run_number, code, m->factors, m->n_items, err);
    }
    if (status != TV_ERR_NOT_FOUND)
        return status;
    tv_fail(err, status, "model %" PRId64 " has no user %.*s", m->run_number, (int)n, text);
    tv_hint(err, "trivet-train show %" PRId64 " --factors users shows some it has", m->run_number);
    return status;
}

/* A code is looked up in the catalogue, which tv_names_open has read if any item has one. */
enum tv_status tv_names_find_item(int64_t *id, const struct tv_names *names, const char *flag, const char *text,
                                  struct tv_error *err)
{
    int is_number;
    enum tv_status status = read_id(id, &is_number, names->items, flag, text, strlen(text), err);
    if (status != TV_OK || is_number)
        return status;
    const struct tv_item *item = tv_items_find_code(&names->codes, text);
    if (item == NULL)
        return tv_fail(err, TV_ERR_NOT_FOUND, "there is no item %s", text);
    *id = item->id;
    return TV_OK;
}

const char *tv_names_user(const struct tv_user_document *user, char *space)
{
    if (user->code)
        return user->code;
    snprintf(space, TV_NAMES_SPACE, "%" PRId64, user->user_id);
    return space;
}

const char *tv_names_item(const struct tv_names *names, int64_t id, char *space)
{
    const struct tv_item *item = tv_items_find(&names->codes, id);
    if (item && item->code)
        return item->code;
    snprintf(space, TV_NAMES_SPACE, "%" PRId64, id);
    return space;
}
