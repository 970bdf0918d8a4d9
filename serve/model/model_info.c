/* model_info: reads a model's description, the JSON object that came with it (docs/formats.md), into fields of
 * fixed size. The resident model and the model list hold one each; pages and handlers read these.
 */
#include "serve/model/model_info.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/text.h"

/* An absent key leaves the text as it was, empty. A text longer than its room ends in "..." and never in half a
 * character. */
static void read_text(char *out, size_t size, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        return;
    tv_text_mark_cut(out, size, snprintf(out, size, "%s", text));
}

/* An object as JSON text. One that does not fit counts as not told, as a part of it could not be read. json_dumpb
 * returns the bytes that the whole would take, so a result beyond the room shows that it did not fit. */
static void read_object(char *out, size_t size, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    size_t n = json_is_object(value) ? json_dumpb(value, out, size - 1, JSON_COMPACT) : 0;
    out[n < size ? n : 0] = '\0';
}

static int64_t read_int(const json_t *object, const char *key, int64_t absent)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : absent;
}

/* An example whose user is neither a number nor a code cannot be linked to, and is passed over. */
static void read_examples(struct tv_model_info *info, const json_t *examples)
{
    size_t i;
    json_t *one;
    json_array_foreach(examples, i, one)
    {
        const json_t *user = json_object_get(one, "user_id");
        if (info->n_examples == TV_MAX_EXAMPLES || !(json_is_integer(user) || json_is_string(user)))
            continue;
        struct tv_example *e = &info->examples[info->n_examples++];
        if (json_is_integer(user))
            snprintf(e->user, sizeof e->user, "%" JSON_INTEGER_FORMAT, json_integer_value(user));
        else
            read_text(e->user, sizeof e->user, one, "user_id");
        e->ratings = read_int(one, "ratings", -1);
        read_text(e->label, sizeof e->label, one, "label");
    }
}

/* A model may have learned from ratings above a limit alone; what may be rated is what was loaded. */
static void read_rate_scale(struct tv_model_info *info, const json_t *scale, const json_t *loaded)
{
    const json_t *low = json_object_get(loaded, "low"), *high = json_object_get(loaded, "high");
    const int told = json_is_number(low) && json_is_number(high);
    info->rate_low = told ? json_number_value(low) : info->scale_low;
    info->rate_high = told ? json_number_value(high) : info->scale_high;
    info->rate_step = json_number_value(json_object_get(scale, "step"));
}

/* Nothing here is an error: jansson finds no key in NULL or in a value that is no object, so each missing or odd
 * key leaves its own field at "not told". Descriptions of older models lack keys, and their models are served all
 * the same. */
void tv_model_info_read(struct tv_model_info *info, int64_t run_number, const char *json)
{
    memset(info, 0, sizeof *info);
    info->run_number = run_number;
    json_t *root = json ? json_loads(json, 0, NULL) : NULL;
    const json_t *counts = json_object_get(root, "counts"), *data = json_object_get(root, "data"),
                 *scale = json_object_get(root, "scale");
    info->factors = (int)read_int(root, "factors", 0);
    read_text(info->algorithm, sizeof info->algorithm, root, "algorithm");
    read_text(info->created_at, sizeof info->created_at, root, "created_at");
    read_text(info->filter_text, sizeof info->filter_text, root, "filter_text");
    read_object(info->filter_json, sizeof info->filter_json, root, "filter");
    read_text(info->source, sizeof info->source, root, "source");
    read_text(info->data_name, sizeof info->data_name, data, "name");
    read_text(info->dataset, sizeof info->dataset, data, "dataset");
    info->user_codes = json_is_true(json_object_get(json_object_get(root, "codes"), "users"));
    const char *values = json_string_value(json_object_get(data, "values"));
    info->counts = values && strcmp(values, "counts") == 0;
    info->generated = json_is_true(json_object_get(data, "generated"));
    read_text(info->score_kind, sizeof info->score_kind, root, "score");
    info->scale_low = json_number_value(json_object_get(scale, "low"));
    info->scale_high = json_number_value(json_object_get(scale, "high"));
    read_rate_scale(info, scale, json_object_get(data, "scale"));
    info->rows = read_int(counts, "rows", -1);
    info->users = read_int(counts, "users", -1);
    info->items = read_int(counts, "items", -1);
    info->users_folded_in = read_int(counts, "users_folded_in", -1);
    info->users_without_factors = read_int(counts, "users_without_factors", -1);
    read_examples(info, json_object_get(root, "examples"));
    json_decref(root);
}

/* A scale whose ends are equal, as both are 0 where none is told, clamps nothing. */
double tv_on_scale(const struct tv_model_info *info, const char *score_kind, double score)
{
    if (strcmp(score_kind, "rating") != 0 || info->scale_low >= info->scale_high)
        return score;
    return fmin(fmax(score, info->scale_low), info->scale_high);
}
