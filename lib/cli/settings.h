/* settings: what options.c and settings.c share about one command's values. Private to lib/base. */
#ifndef TRIVET_CLI_SETTINGS_H
#define TRIVET_CLI_SETTINGS_H

#include "trivet/cli/options.h"

enum { TV_SETTINGS_MAX = 64 };

struct tv_setting {
    const struct tv_option *row;
    const char *text;    /* the last value given; points into argv or the environment */
    const char **values; /* all values of a list; the array is owned */
    size_t n_values;
    int on, given;
};

struct tv_settings {
    const char *program;
    size_t n;
    struct tv_setting entries[TV_SETTINGS_MAX];
};

enum tv_status tv_settings_create(struct tv_settings **out, const struct tv_program *program,
                                  const struct tv_command *command, struct tv_error *err);
enum tv_status tv_settings_put(struct tv_setting *e, const char *text, int from_environment, struct tv_error *err);
enum tv_status tv_settings_environment(struct tv_settings *s, const char *const *environment, struct tv_error *err);
enum tv_status tv_settings_check_names(const char *const *environment, struct tv_error *err);

#endif
