/* ids: users and items as people name them. Handlers take ids from addresses and parameters, and write ids into
 * answers, by these functions alone; in between ids are numbers.
 */
#include "serve/model/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/web/parameters.h"
#include "trivet/base/text.h"

void tv_id_set(struct tv_id *id, const char *name, const char *text)
{
    /* The room is one byte more than a code may have, so a text that is cut is still refused as too long. */
    size_t n = strnlen(text, sizeof id->text - 1);
    id->name = name;
    id->number = TV_NO_ID;
    memcpy(id->text, text, n);
    id->text[n] = '\0';
}

void tv_id_set_number(struct tv_id *id, const char *name, int64_t number)
{
    id->name = name;
    id->number = number;
    snprintf(id->text, sizeof id->text, "%" PRId64, number);
}

int tv_id_parameter(struct tv_id *id, const struct tv_request *request, const char *name)
{
    const char *text = tv_parameter(request, name);
    if (text)
        tv_id_set(id, name, text);
    return text != NULL;
}

/* Ids are taken one at a time, so that a list may be as long as an address without room for all of it. An empty
 * piece between two commas is an id, too, and is refused when it is looked at. */
int tv_id_next(struct tv_id_list *list, const char *name, struct tv_id *id, struct tv_problem *problem)
{
    if (list->rest == NULL)
        return 0;
    if (list->n == list->most) {
        return tv_problem_at(problem, 400, name, "%s names more than %zu items", name, list->most);
    }
    char text[TV_CODE_MAX + 2]; /* as in tv_id_set: a text that is cut is still refused as too long */
    size_t n = strcspn(list->rest, ",");
    snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), list->rest);
    tv_id_set(id, name, text);
    list->rest = list->rest[n] ? list->rest + n + 1 : NULL;
    list->n++;
    return 1;
}

/* Where there are codes, a number counts as one in its plain form only: "007" is a code then, as it was when the
 * data was loaded. Where there are none, an integer in any other form is read, too. */
enum tv_id_kind tv_id_kind(struct tv_id *id, int codes, struct tv_problem *problem)
{
    const struct tv_integer rule = {id->name, INT64_MIN, INT64_MAX};
    int64_t number;
    const char *refusal;
    if (tv_code_is_number(id->text, strlen(id->text), &number) ||
        (!codes && tv_read_integer(id->text, &rule, &number, problem))) {
        tv_id_set_number(id, id->name, number);
        return TV_ID_NUMBER;
    }
    if (!codes)
        return TV_ID_PROBLEM;
    refusal = tv_code_refusal(id->text, strlen(id->text));
    if (refusal == NULL)
        return TV_ID_CODE;
    tv_problem_at(problem, 400, id->name, "%s: %s", id->name, refusal);
    return TV_ID_PROBLEM;
}

int tv_id_number(struct tv_id *id, struct tv_problem *problem)
{
    struct tv_problem is_none = {0};
    if (tv_id_kind(id, 0, &is_none) == TV_ID_NUMBER)
        return 1;
    tv_problem(problem, 503, "%s is \"%.*s\", and no model is loaded that tells whether this is a code or a mistake",
               id->name, tv_shown(id->text), id->text);
    tv_problem_hint(problem, "try again in a moment; /readyz says what is missing");
    problem->retry_after = 1;
    return 0;
}

/* A number is taken as it is, whether or not an item has it; tv_pick_item is for callers that need one. */
int tv_id_item(struct tv_id *id, const struct tv_resident *s, struct tv_problem *problem)
{
    enum tv_id_kind kind = tv_id_kind(id, s->catalogue->items.n_codes > 0, problem);
    const struct tv_item *item = kind == TV_ID_CODE ? tv_items_find_code(&s->catalogue->items, id->text) : NULL;
    if (item)
        id->number = item->id;
    else if (kind == TV_ID_CODE)
        tv_problem(problem, 404, "there is no item %s", id->text);
    return kind == TV_ID_NUMBER || item;
}

/* 1 for an item with a code that came after the catalogue was read: its number means nothing to anybody outside,
 * and the code is not here. */
static int is_unnamed(int64_t item_id)
{
    return item_id >= TV_CODE_FIRST && item_id < TV_CODE_END;
}

const char *tv_id_item_text(const struct tv_resident *s, int64_t item_id, char *space)
{
    const struct tv_item *item = tv_items_find(&s->catalogue->items, item_id);
    if (item && item->code)
        return item->code;
    if (is_unnamed(item_id))
        return "newer than the model";
    snprintf(space, TV_ID_SPACE, "%" PRId64, item_id);
    return space;
}

/* By the catalogue and not by the one item, so that all ids of items in an answer have the same type. */
void tv_id_item_json(struct tv_out *out, const struct tv_resident *s, int64_t item_id)
{
    char space[TV_ID_SPACE];
    const struct tv_item *item = tv_items_find(&s->catalogue->items, item_id);
    if (item == NULL && is_unnamed(item_id))
        tv_out_text(out, "null");
    else if (s->catalogue->items.n_codes > 0)
        tv_out_json(out, tv_id_item_text(s, item_id, space));
    else
        tv_out_int(out, item_id);
}

/* By the model and not by the one user, so that every id in an answer has the same type. */
void tv_id_user_json(struct tv_out *out, const struct tv_resident *s, const struct tv_id *user)
{
    if (s->info.user_codes)
        tv_out_json(out, user->text);
    else
        tv_out_int(out, user->number);
}

/* Every byte but the unreserved characters (RFC 3986, 2.3) is escaped, so that a slash or an & in a code is no part
 * of the address's structure. */
void tv_out_url(struct tv_out *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (strchr(plain, *c))
            tv_out_bytes(out, c, 1);
        else
            tv_out_format(out, "%%%02X", *c);
}
