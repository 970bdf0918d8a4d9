/* settings: the values of one command's options, from flags, environment and defaults, each checked. A bad value is
 * refused before the command begins, under the name that the user wrote, and never in the middle of the work. */
#include "lib/cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/text.h"

/* Shared rows name the programs that take them; a command's own rows name none, and serve it in any case. */
static int row_serves(const struct tv_option *row, unsigned mask)
{
    return row->programs == 0 || (row->programs & mask) != 0;
}

static void add_rows(struct tv_settings *s, const struct tv_option *rows, unsigned mask)
{
    for (const struct tv_option *row = rows; row && row->name; row++)
        if (row_serves(row, mask) && s->n < TV_SETTINGS_MAX)
            s->entries[s->n++] = (struct tv_setting){.row = row};
}

enum tv_status tv_settings_create(struct tv_settings **out, const struct tv_program *program,
                                  const struct tv_command *command, struct tv_error *err)
{
    struct tv_settings *s = tv_alloc(1, sizeof *s, "settings", err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    add_rows(s, command->options, program->mask);
    for (const struct tv_option *const *more = command->more; more && *more; more++)
        add_rows(s, *more, program->mask);
    add_rows(s, tv_shared_options, program->mask);
    *out = s;
    return TV_OK;
}

void tv_settings_free(struct tv_settings *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->entries[i].values);
    free(s);
}

/* `choices` is a list such as "error|info|debug"; a text must be one of the words whole. */
static int is_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    for (const char *c = choices; *c; c += strcspn(c, "|"), c += *c == '|')
        if (strcspn(c, "|") == n && strncmp(c, text, n) == 0)
            return 1;
    return 0;
}

/* "--top" for a flag, "TRIVET_TOP" for the environment: the name the user wrote. */
static const char *spelled(const struct tv_option *row, int from_environment, char *space, size_t size)
{
    snprintf(space, size, from_environment ? "%s" : "--%s", from_environment ? row->env : row->name);
    return space;
}

/* `min` and `max` are doubles for integers, too; the largest bounds in use (9e18) are there to keep a value within
 * int64. */
static enum tv_status check(const struct tv_option *row, const char *text, int from_environment,
                            struct tv_error *err)
{
    char name[80];
    int64_t integer = 0;
    double real = 0;
    spelled(row, from_environment, name, sizeof name);
    if (row->kind == TV_OPTION_CHOICE && !is_choice(row->choices, text))
        return tv_fail(err, TV_ERR_USAGE, "%s is \"%s\", but must be one of %s", name, text, row->choices);
    if (row->kind == TV_OPTION_INT &&
        (!tv_text_int64(text, strlen(text), &integer) || (double)integer < row->min || (double)integer > row->max))
        return tv_fail(err, TV_ERR_USAGE, "%s is \"%s\", but must be an integer from %.0f to %.0f", name, text,
                       row->min, row->max);
    if (row->kind == TV_OPTION_REAL &&
        (!tv_text_double(text, strlen(text), &real) || real < row->min || real > row->max))
        return tv_fail(err, TV_ERR_USAGE, "%s is \"%s\", but must be a number from %g to %g", name, text, row->min,
                       row->max);
    if (row->kind == TV_OPTION_TEXT && text[0] == '\0')
        return tv_fail(err, TV_ERR_USAGE, "%s is empty", name);
    return TV_OK;
}

enum tv_status tv_option_check(const struct tv_option *row, const char *text, struct tv_error *err)
{
    return check(row, text, 0, err);
}

/* Texts are not copied: argv and the environment live as long as the process. */
enum tv_status tv_settings_put(struct tv_setting *e, const char *text, int from_environment, struct tv_error *err)
{
    if (e->row->kind == TV_OPTION_SWITCH) {
        e->on = 1;
        return TV_OK;
    }
    enum tv_status status = check(e->row, text, from_environment, err);
    if (status != TV_OK)
        return status;
    if (e->row->kind == TV_OPTION_LIST) {
        const char **values = realloc(e->values, (e->n_values + 1) * sizeof *values);
        if (values == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for --%s", e->row->name);
        values[e->n_values++] = text;
        e->values = values;
    }
    e->text = text;
    e->given = 1;
    return TV_OK;
}

/* An empty variable counts as unset: a compose file that passes on a variable which the host does not have leaves it
 * so. */
enum tv_status tv_settings_environment(struct tv_settings *s, const char *const *environment, struct tv_error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        struct tv_setting *e = &s->entries[i];
        size_t n = e->row->env ? strlen(e->row->env) : 0;
        if (n == 0 || e->given)
            continue;
        for (const char *const *line = environment; *line; line++) {
            if (strncmp(*line, e->row->env, n) != 0 || (*line)[n] != '=' || (*line)[n + 1] == '\0')
                continue;
            enum tv_status status = tv_settings_put(e, *line + n + 1, 1, err);
            if (status != TV_OK)
                return status;
        }
    }
    return TV_OK;
}

/* Names that begin with TRIVET_TEST_ belong to the tests. All shared rows are known to every program, so that one
 * environment can be written for all of them. */
enum tv_status tv_settings_check_names(const char *const *environment, struct tv_error *err)
{
    const char *names[64];
    size_t n = 0;
    for (const struct tv_option *row = tv_shared_options; row->name; row++)
        if (row->env && n < 62)
            names[n++] = row->env;
    names[n] = NULL;
    for (const char *const *line = environment; *line; line++) {
        char name[128];
        if (strncmp(*line, "TRIVET_", 7) != 0 || strncmp(*line, "TRIVET_TEST_", 12) == 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*line, "="), *line);
        size_t i = 0;
        while (i < n && strcmp(names[i], name) != 0)
            i++;
        if (i < n)
            continue;
        const char *nearest = tv_text_nearest(name, names);
        tv_fail(err, TV_ERR_USAGE, "the environment sets %s, which trivet does not know", name);
        return nearest ? tv_hint(err, "did you mean %s?", nearest)
                       : tv_hint(err, "unset it; --help lists the names that are read");
    }
    return TV_OK;
}

/* A name that is not there is a mistake in the program, not of its user. */
static const struct tv_setting *find(const struct tv_settings *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->entries[i].row->name, name) == 0)
            return &s->entries[i];
    fprintf(stderr, "bug: this command has no option --%s\n", name);
    abort();
}

const char *tv_settings_text(const struct tv_settings *s, const char *name)
{
    const struct tv_setting *e = find(s, name);
    return e->text ? e->text : e->row->default_text;
}

/* An option of this kind was checked when it came in; its default is a number in the table. */
long long tv_settings_int(const struct tv_settings *s, const char *name)
{
    const char *text = tv_settings_text(s, name);
    return text ? strtoll(text, NULL, 10) : 0;
}

/* The same for a number with a fraction; 0 where nothing is given and there is no default. */
double tv_settings_real(const struct tv_settings *s, const char *name)
{
    const char *text = tv_settings_text(s, name);
    return text ? strtod(text, NULL) : 0;
}

int tv_settings_on(const struct tv_settings *s, const char *name)
{
    return find(s, name)->on;
}

int tv_settings_given(const struct tv_settings *s, const char *name)
{
    const struct tv_setting *e = find(s, name);
    return e->given || e->on;
}

size_t tv_settings_list(const struct tv_settings *s, const char *name, const char *const **values)
{
    const struct tv_setting *e = find(s, name);
    *values = e->values;
    return e->n_values;
}
