/* flags: the flags of the command `search`, and the command lines it writes: the one that goes on with a search, and
 * the one that trains what it found. A search is stored as the flags that were given, not as values, so a default that
 * changes with the program leads to another fingerprint and so to a new search, not to trials that do not compare.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/command/flags.h"
#include "train/search/search.h"
#include "trivet/cli/table.h"

enum { MAX_FLAGS = 128 };

const struct tv_option tv_search_options[] = {
    {.name = "resume",
     .kind = TV_OPTION_INT,
     .value = "ID",
     .min = 1,
     .max = 9e15,
     .help = "go on with the search of that number, with its settings; the command it began with does the same"},
    {.name = "parallel",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "0",
     .min = 0,
     .max = 1024,
     .help = "trials at a time, which share the --threads; 0: as many as there are threads and memory for"},
    {.name = "memory",
     .kind = TV_OPTION_INT,
     .value = "MB",
     .min = 1,
     .max = 1e9,
     .help = "what trials may take together (default: four fifths of what is available)"},
    {.name = "format",
     .kind = TV_OPTION_CHOICE,
     .value = "FORMAT",
     .default_text = "table",
     .choices = TV_TABLE_FORMATS,
     .help = "how to print it; csv has the trials alone"},
    {.name = NULL},
};

/* The flags that say what is tried and what decides; tv_search_options and the shared ones say how it is run and
 * shown. */
const struct tv_option *const tv_search_subject[] = {tv_search_space_options, tv_trial_options, tv_reading_options,
                                                     NULL};

/* One flag as "--name=value", in one word, so that a value that begins with dashes is not taken for a flag. */
static int append(json_t *array, const char *name, const char *value)
{
    return json_array_append_new(array, json_sprintf("--%s=%s", name, value)) == 0;
}

/* The flags of some rows that were given, all values of a list among them. Rows of other programs are left out. */
static int append_given(json_t *array, const struct tv_settings *s, const struct tv_option *rows)
{
    int ok = 1;
    for (const struct tv_option *row = rows; row->name && ok; row++) {
        const char *const *values;
        if ((row->programs & TV_PROGRAM_TRAIN) == 0 && row->programs != 0)
            continue;
        if (row->kind == TV_OPTION_LIST)
            for (size_t i = 0, n = tv_settings_list(s, row->name, &values); i < n && ok; i++)
                ok = append(array, row->name, values[i]);
        else if (tv_settings_given(s, row->name))
            ok = append(array, row->name, tv_settings_text(s, row->name));
    }
    return ok;
}

json_t *tv_search_flags(const struct tv_settings *settings)
{
    json_t *array = json_array();
    int ok = array != NULL;
    for (const struct tv_option *const *rows = tv_search_subject; *rows && ok; rows++)
        ok = append_given(array, settings, *rows);
    if (ok)
        return array;
    json_decref(array);
    return NULL;
}

/* A program of this one command, to read a stored command line with. */
static const struct tv_command commands[] = {
    {.name = "search", .arguments = "", .summary = "", .options = tv_search_options, .more = tv_search_subject},
    {.name = NULL}};
static const struct tv_program program = {.name = "trivet-train", .mask = TV_PROGRAM_TRAIN, .commands = commands};

/* Later flags win over earlier ones, so those given beside --resume are appended: they may change how a search is
 * run and shown. A change of the subject leads to another fingerprint, and is refused (check_number in store.c). */
enum tv_status tv_search_flags_read(struct tv_settings **out, json_t *flags, const struct tv_settings *given,
                                    struct tv_error *err)
{
    static char name[] = "trivet-train";
    char *argv[MAX_FLAGS + 1] = {name};
    struct tv_command_line line = {.argc = 1, .argv = argv, .environment = (const char *const *)environ};
    size_t i;
    json_t *flag, *beside = tv_search_flags(given);
    int ok = beside && json_array_extend(flags, beside) == 0 && append_given(flags, given, tv_search_options) &&
             append_given(flags, given, tv_shared_options);
    json_decref(beside);
    if (!ok)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the flags of a search");
    json_array_foreach(flags, i, flag) {
        if (line.argc == MAX_FLAGS)
            return tv_fail(err, TV_ERR_USAGE, "the search has more than %d flags", MAX_FLAGS);
        argv[line.argc++] = (char *)json_string_value(flag);
    }
    return tv_settings_parse(out, &program, commands, &line, err);
}

enum tv_status tv_search_command(const struct tv_search *s, struct tv_buffer *line, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(line, "trivet-train search", err);
    for (const struct tv_option *const *rows = tv_search_subject; *rows && status == TV_OK; rows++)
        status = tv_flags_given(line, s->settings, *rows, err);
    return status;
}

/* An axis of the algorithm is in *learn already; one of the filter becomes a --set behind those that were given, and
 * the last one of a name counts. */
enum tv_status tv_search_fit_command(const struct tv_search *s, size_t trial, const struct tv_learn_settings *learn,
                                     struct tv_buffer *line, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(line, "trivet-train fit", err);
    if (status == TV_OK)
        status = tv_learn_flags(learn, line, err);
    if (status == TV_OK)
        status = tv_flags_given(line, s->settings, tv_reading_options, err);
    for (int a = 0; a < s->space.n_axes && status == TV_OK; a++)
        if (s->space.axes[a].filter)
            status = tv_buffer_format(line, err, " --set %s=%s", s->space.axes[a].name,
                                      tv_search_space_value(&s->space, trial, a));
    return status;
}
