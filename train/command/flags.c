/* flags: the flags that were given, as a command line again. fit, evaluate and search hand over their tables
 * of options. Flags that were not given are left out; the algorithm's settings are written by tv_learn_flags, which
 * names most of them, given or not.
 */
#include "train/command/flags.h"

/* Appends a flag once for each value of its list, in their order, because a later --set wins over an earlier one. A
 * list that was not given is empty, and leaves nothing. */
static enum tv_status append_list(struct tv_buffer *line, const struct tv_settings *settings, const char *name,
                                  struct tv_error *err)
{
    enum tv_status status = TV_OK;
    const char *const *values;
    size_t n = tv_settings_list(settings, name, &values);
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        status = tv_buffer_format(line, err, " --%s ", name);
        if (status == TV_OK)
            status = tv_buffer_shell(line, values[i], err);
    }
    return status;
}

/* Appends any other flag: a switch has no value, and only texts need quotes, because numbers and choices were checked
 * when they were read. */
static enum tv_status append_one(struct tv_buffer *line, const struct tv_settings *settings,
                                 const struct tv_option *row, struct tv_error *err)
{
    enum tv_status status = tv_buffer_format(line, err, " --%s", row->name);
    if (status != TV_OK || row->kind == TV_OPTION_SWITCH)
        return status;
    const char *value = tv_settings_text(settings, row->name);
    if (row->kind != TV_OPTION_TEXT)
        return tv_buffer_format(line, err, " %s", value);
    status = tv_buffer_text(line, " ", err);
    return status == TV_OK ? tv_buffer_shell(line, value, err) : status;
}

enum tv_status tv_flags_given(struct tv_buffer *line, const struct tv_settings *settings, const struct tv_option *rows,
                              struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (const struct tv_option *row = rows; row->name && status == TV_OK; row++)
        if (row->kind == TV_OPTION_LIST)
            status = append_list(line, settings, row->name, err);
        else if (tv_settings_given(settings, row->name))
            status = append_one(line, settings, row, err);
    return status;
}
