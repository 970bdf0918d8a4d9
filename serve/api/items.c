/* items: one item with all that is known of it, and the search by title. Both answer from the resident model's
 * catalogue, while no model is live from that of the index of similar items; further fields of one item are read from
 * MongoDB.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/handlers.h"
#include "serve/app.h"
#include "serve/model/ids.h"
#include "serve/pick/pick.h"
#include "serve/web/parameters.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"

enum { STANDARD_FOUND = 20, MAX_FOUND = 100, MAX_QUERY = 200 };

/* --- one item -------------------------------------------------------------------------------------------- */

/* The fields of an item's document that no other member of the answer tells and that are not trivet's own. Fields
 * without a value are left out. */
static json_t *other_fields(const struct tv_mongo_doc *doc)
{
    static const char *const named[] = {"_id", "code", "title", "year", "genres", "n", "mean", "score_kind", "rev"};
    char *text = tv_mongo_doc_json(doc, NULL);
    json_t *all = text ? json_loads(text, 0, NULL) : NULL, *value;
    const char *name;
    void *next;
    free(text);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        json_object_del(all, named[i]);
    json_object_foreach_safe(all, next, name, value) if (json_is_null(value)) json_object_del(all, name);
    return all;
}

/* The document of an item, or NULL: it has none, or MongoDB does not answer. The answer can do without it. */
static struct tv_mongo_doc *find_document(struct tv_app *app, const struct tv_resident *s, int64_t item_id)
{
    char name[TV_MODEL_NAME];
    struct tv_mongo_doc *doc = NULL;
    struct tv_error err = {0};
    if (!tv_breaker_is_up(app->models.mongo_breaker))
        return NULL;
    tv_items_collection(name, s->dataset);
    if (tv_mongo_find_int(app->models.mongo, name, "_id", item_id, &doc, &err) == TV_ERR_UNAVAILABLE)
        tv_breaker_trip(app->models.mongo_breaker, &err);
    return doc;
}

/* Writes an item as the resident catalogue tells it, and under "metadata" the further fields that MongoDB has. */
static void write_item(struct tv_app *app, struct tv_out *out, const struct tv_resident *s, int64_t item_id)
{
    struct tv_mongo_doc *doc = find_document(app, s, item_id);
    json_t *others = doc ? other_fields(doc) : NULL;
    char *text = others ? json_dumps(others, JSON_COMPACT) : NULL;
    tv_out_text(out, "{");
    tv_item_json(out, s, item_id);
    tv_item_counts_json(out, s, item_id);
    tv_model_json(out, s);
    tv_out_key(out, "metadata");
    tv_out_text(out, text ? text : "null");
    tv_out_text(out, "}\n");
    free(text);
    json_decref(others);
    tv_mongo_doc_free(doc);
}

/* MongoDB is asked unless it is known to be away, so the handler asks for a worker before it begins. While it is
 * away the answer has metadata null. */
enum tv_outcome tv_handle_item(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct tv_id id;
    int64_t model;
    if (tv_breaker_is_up(app->models.mongo_breaker) && !request->may_wait)
        return TV_LATER;
    enum tv_pick pick = TV_PICK_PROBLEM;
    tv_id_set(&id, "id", request->segments[0]);
    if (tv_pick_model(request, &model, &problem))
        pick = tv_pick_catalogue(&app->models, app->similar_keeper, model, request->may_wait, &picked.resident, &problem);
    if (pick == TV_PICKED && tv_pick_is_meant(request, picked.resident, &problem) &&
        tv_pick_item(&id, picked.resident, &problem)) {
        write_item(app, &response->out, picked.resident, id.number);
        response->revalidated = 1;
    }
    return tv_pick_finish(&app->models, request, response, pick, &picked, &problem);
}

/* --- the search ------------------------------------------------------------------------------------------ */

/* The query is folded here, because one that folds to nothing is refused: it would be in every title. */
static int read_query(const struct tv_request *request, struct tv_buffer *folded, int64_t *top,
                      struct tv_problem *problem)
{
    static const struct tv_integer rule = {"top", 1, MAX_FOUND};
    const char *q = tv_parameter(request, "q");
    if (q == NULL)
        return tv_problem_at(problem, 400, "q", "q is missing: which words stand in the title?");
    if (strlen(q) > MAX_QUERY)
        return tv_problem_at(problem, 400, "q", "q is %zu bytes long, but must be %d at most", strlen(q), MAX_QUERY);
    if (tv_title_fold(folded, q, NULL) != TV_OK)
        return tv_problem_at(problem, 500, "q", "out of memory for the search");
    if (folded->size == 0)
        return tv_problem_at(problem, 400, "q", "q is \"%.*s\", in which there is no letter and no digit", tv_shown(q),
                             q);
    return tv_parameter_integer(request, &rule, top, problem);
}

/* The search is in memory and, with a model, takes no worker (title_index.h). */
static void write_found(struct tv_out *out, const struct tv_resident *s, const char *folded, size_t top)
{
    const struct tv_item *best[MAX_FOUND];
    size_t found, n = tv_title_search(&s->catalogue->titles, &s->catalogue->items, folded, best, top, &found);
    tv_out_text(out, "{");
    tv_model_json(out, s);
    tv_out_key(out, "found");
    tv_out_int(out, (int64_t)found);
    tv_out_key(out, "items");
    tv_out_text(out, "[");
    for (size_t i = 0; i < n; i++) {
        tv_out_text(out, i ? ",{" : "{");
        tv_item_json(out, s, best[i]->id);
        tv_item_counts_json(out, s, best[i]->id);
        tv_out_text(out, "}");
    }
    tv_out_text(out, "]}\n");
}

/* A letter may fold into several (NFKD), so the buffer's limit is far above that of the query. */
enum tv_outcome tv_handle_items(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct tv_buffer folded;
    int64_t model, top = STANDARD_FOUND;
    enum tv_pick pick = TV_PICK_PROBLEM;
    tv_buffer_init(&folded, 64 * MAX_QUERY);
    if (read_query(request, &folded, &top, &problem) && tv_pick_model(request, &model, &problem))
        pick = tv_pick_catalogue(&app->models, app->similar_keeper, model, request->may_wait, &picked.resident, &problem);
    if (pick == TV_PICKED && tv_pick_is_meant(request, picked.resident, &problem)) {
        write_found(&response->out, picked.resident, tv_buffer_string(&folded), (size_t)top);
        response->revalidated = 1;
    }
    tv_buffer_free(&folded);
    return tv_pick_finish(&app->models, request, response, pick, &picked, &problem);
}
