/* flags: settings as a command line again: what the journal keeps, so that a run can be repeated. */
#include "train/command/flags.h"

/* In a shell's single quotes. */
static void append_quoted(struct tv_buffer *line, const char *value)
{
    tv_buffer_text(line, "'", NULL);
    for (; *value; value++)
        tv_buffer_format(line, NULL, *value == '\'' ? "'\\''" : "%c", *value);
    tv_buffer_text(line, "'", NULL);
}

static void append_list(struct tv_buffer *line, const struct tv_settings *settings, const char *name)
{
    const char *const *values;
    size_t n = tv_settings_list(settings, name, &values);
    for (size_t i = 0; i < n; i++) {
        tv_buffer_format(line, NULL, " --%s ", name);
        append_quoted(line, values[i]);
    }
}

static void append_one(struct tv_buffer *line, const struct tv_settings *settings, const struct tv_option *row)
{
    tv_buffer_format(line, NULL, " --%s", row->name);
    if (row->kind == TV_OPTION_TEXT) {
        tv_buffer_text(line, " ", NULL);
        append_quoted(line, tv_settings_text(settings, row->name));
    } else if (row->kind != TV_OPTION_SWITCH) {
        tv_buffer_format(line, NULL, " %s", tv_settings_text(settings, row->name));
    }
}

void flags_given(struct tv_buffer *line, const struct tv_settings *settings, const struct tv_option *rows)
{
    for (const struct tv_option *row = rows; row->name; row++)
        if (row->kind == TV_OPTION_LIST)
            append_list(line, settings, row->name);
        else if (tv_settings_given(settings, row->name))
            append_one(line, settings, row);
}
