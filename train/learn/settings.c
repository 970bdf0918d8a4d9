/* settings: an algorithm's settings from flags and from JSON, and back into both. All of it is loops over the rows
 * of algorithm.c, so a new setting needs nothing here.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "train/learn/algorithm.h"

/* Writes a setting where its row says. A seed of more than 53 bits would be rounded to a double on the way: set_seed. */
static void set_value(struct tv_learn_settings *s, const struct tv_learn_setting *row, double value)
{
    void *at = (char *)s + row->offset;
    if (row->kind == TV_LEARN_REAL)
        *(double *)at = value;
    else if (row->kind == TV_LEARN_SEED)
        *(uint64_t *)at = (uint64_t)value;
    else
        *(int *)at = (int)value;
}

static void set_seed(struct tv_learn_settings *s, const struct tv_learn_setting *row, uint64_t seed)
{
    *(uint64_t *)((char *)s + row->offset) = seed;
}

void tv_learn_defaults(struct tv_learn_settings *out, const struct tv_learn_algorithm *algorithm)
{
    *out = (struct tv_learn_settings){.algorithm = algorithm};
    for (const struct tv_learn_setting *row = tv_learn_setting_rows; row->flag; row++)
        set_value(out, row, tv_learn_default_of(algorithm, row));
    if (algorithm->factors > 0)
        out->factors = algorithm->factors;
}

/* The row of tv_learn_options that has a setting's bounds; one without a name for anything else. */
static const struct tv_option *option_of(const char *name)
{
    const struct tv_option *row = tv_learn_options;
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    return row;
}

/* A search names the two values of a switch, where a command line has only the flag. */
static enum tv_status set_switch(struct tv_learn_settings *s, const struct tv_learn_setting *row, const char *text,
                                 struct tv_error *err)
{
    int on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0)
        return tv_fail(err, TV_ERR_USAGE, "--%s is \"%s\", but must be off or on", row->flag, text);
    set_value(s, row, on);
    return TV_OK;
}

/* The text is held to the bounds of the flag, so a search and a command line refuse the same values with the same
 * words. */
enum tv_status tv_learn_set(struct tv_learn_settings *s, const char *name, const char *text, struct tv_error *err)
{
    const struct tv_learn_setting *row = tv_learn_setting_of(name);
    if (row && !tv_learn_uses(s->algorithm, name)) {
        tv_fail(err, TV_ERR_USAGE, "--%s means nothing to --algorithm %s", name, tv_learn_algorithm_name(s));
        return tv_hint(err, "--help says which algorithm takes what");
    }
    if (row && row->kind == TV_LEARN_SWITCH)
        return set_switch(s, row, text, err);
    enum tv_status status = tv_option_check(option_of(name), text, err);
    if (status != TV_OK || row == NULL)
        return status;
    if (row->kind == TV_LEARN_SEED)
        set_seed(s, row, strtoull(text, NULL, 10));
    else
        set_value(s, row, strtod(text, NULL));
    s->factors_given |= strcmp(name, "factors") == 0;
    return TV_OK;
}

/* Only flags that were given are set, so that a flag the algorithm does not use is refused while its default stays
 * harmless. */
enum tv_status tv_learn_read_settings(struct tv_learn_settings *out, const struct tv_settings *s, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    tv_learn_defaults(out, tv_learn_algorithm_of(tv_settings_text(s, "algorithm")));
    out->threads = (int)tv_settings_int(s, "threads");
    for (const struct tv_option *row = tv_learn_options; row->name && status == TV_OK; row++)
        if (row->kind != TV_OPTION_CHOICE && tv_settings_given(s, row->name))
            status = tv_learn_set(out, row->name, row->kind == TV_OPTION_SWITCH ? "on" : tv_settings_text(s, row->name),
                                  err);
    return status;
}

/* Reals with 17 digits, which bring back every double; a seed as the integer it is. Without jansson, which writes 40.0
 * and 1e-5 for what is 40 and 1.0000000000000001e-05 here: the text is part of a model's fingerprint, and a model that
 * is kept would no longer be known for one of the same settings. Names are those of flags, and need no escape. */
static enum tv_status write_json(const struct tv_learn_settings *s, const struct tv_learn_setting *row,
                                 struct tv_buffer *json, struct tv_error *err)
{
    const void *at = (const char *)s + row->offset;
    switch (row->kind) {
    case TV_LEARN_REAL:
        return tv_buffer_format(json, err, "%.17g", *(const double *)at);
    case TV_LEARN_SEED:
        return tv_buffer_format(json, err, "%" PRIu64, *(const uint64_t *)at);
    case TV_LEARN_SWITCH:
        return tv_buffer_text(json, *(const int *)at ? "true" : "false", err);
    default:
        return tv_buffer_format(json, err, "%d", *(const int *)at);
    }
}

/* In the order of the algorithm's row, so that equal settings are equal texts: the fingerprint of a run hashes them. */
enum tv_status tv_learn_json(const struct tv_learn_settings *s, struct tv_buffer *json, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(json, "{", err);
    for (int i = 0; s->algorithm->settings[i].flag && status == TV_OK; i++) {
        const struct tv_learn_setting *row = tv_learn_setting_of(s->algorithm->settings[i].flag);
        status = tv_buffer_format(json, err, "%s\"%s\": ", i ? ", " : "", row->flag);
        if (status == TV_OK)
            status = write_json(s, row, json, err);
    }
    return status == TV_OK ? tv_buffer_text(json, "}", err) : status;
}

/* A setting that the JSON does not have keeps its default. The number of factors counts as asked for: another
 * matrix must not shrink it. */
enum tv_status tv_learn_from_json(struct tv_learn_settings *out, const char *algorithm, const char *json,
                                  struct tv_error *err)
{
    const struct tv_learn_algorithm *known = tv_learn_algorithm_of(algorithm);
    json_t *object = json_loads(json, 0, NULL);
    if (known == NULL || !json_is_object(object)) {
        json_decref(object);
        return tv_fail(err, TV_ERR_CORRUPT, "the settings of an algorithm \"%s\" cannot be read: %s", algorithm, json);
    }
    tv_learn_defaults(out, known);
    out->factors_given = 1;
    for (const struct tv_learn_setting *row = tv_learn_setting_rows; row->flag; row++) {
        const json_t *value = json_object_get(object, row->flag);
        if (row->kind == TV_LEARN_SEED && json_is_integer(value))
            set_seed(out, row, (uint64_t)json_integer_value(value));
        else if (json_is_number(value) || json_is_boolean(value))
            set_value(out, row, json_is_number(value) ? json_number_value(value) : json_is_true(value));
    }
    json_decref(object);
    return TV_OK;
}

/* Factors appear only if they were asked for: a default shrinks to the matrix, and does so again when the command
 * is repeated. */
enum tv_status tv_learn_flags(const struct tv_learn_settings *s, struct tv_buffer *line, struct tv_error *err)
{
    enum tv_status status = tv_buffer_format(line, err, " --algorithm %s", tv_learn_algorithm_name(s));
    for (int i = 0; s->algorithm->settings[i].flag && status == TV_OK; i++) {
        const struct tv_learn_setting *row = tv_learn_setting_of(s->algorithm->settings[i].flag);
        const void *at = (const char *)s + row->offset;
        int is_factors = strcmp(row->flag, "factors") == 0;
        if (is_factors ? !s->factors_given
                       : row->only_if_set && tv_learn_value(s, row) == tv_learn_default_of(s->algorithm, row))
            continue;
        status = tv_buffer_format(line, err, " --%s", row->flag);
        if (row->kind == TV_LEARN_SEED && status == TV_OK)
            status = tv_buffer_format(line, err, " %" PRIu64, *(const uint64_t *)at);
        else if (row->kind != TV_LEARN_SWITCH && status == TV_OK)
            status = tv_buffer_format(line, err, " %.15g", tv_learn_value(s, row));
    }
    return status;
}
