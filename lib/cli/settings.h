/* settings: the values of one command, shared by settings.c and program.c. Private to lib/cli. */
#ifndef TRIVET_CLI_SETTINGS_H
#define TRIVET_CLI_SETTINGS_H

#include "trivet/cli/options.h"

/* Options of a command, its own and the shared ones; more rows would be left out. */
enum { TV_SETTINGS_MAX = 64 };

/* An option of the command and what was given for it. Values stay texts until they are asked for: they were checked
 * when they came in, so reading them as numbers cannot fail. */
struct tv_setting {
    const struct tv_option *row;
    const char *text;    /* the last value given; points into argv or the environment */
    const char **values; /* all values of a list; the array is owned */
    size_t n_values;
    int on, given;
};

/* Each option of the command once, in the order of the tables; names are searched for in that order, as there are
 * few. */
struct tv_settings {
    size_t n;
    struct tv_setting entries[TV_SETTINGS_MAX];
};

/* All rows that the command takes, nothing given yet; tv_settings_free (options.h) releases them. */
enum tv_status tv_settings_create(struct tv_settings **out, const struct tv_program *program,
                                  const struct tv_command *command, struct tv_error *err);
/* Checks a value and takes it; of several the last counts, a list keeps all. `text` must outlive the settings. */
enum tv_status tv_settings_put(struct tv_setting *e, const char *text, int from_environment, struct tv_error *err);
/* Takes from the environment the values that no flag has given: call it after the flags. */
enum tv_status tv_settings_environment(struct tv_settings *s, const char *const *environment, struct tv_error *err);
/* Refuses a TRIVET_ variable that no program knows: a misspelt one would be passed over in silence. */
enum tv_status tv_settings_check_names(const char *const *environment, struct tv_error *err);

#endif
