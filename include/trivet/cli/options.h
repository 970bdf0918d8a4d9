/* options: one table for flags, environment, defaults, checks and --help.
 *
 * A program is a list of commands; a command has rows of its own beside the rows every program shares
 * (tv_shared_options, the only ones that can also come from the environment). tv_program_main() parses with
 * glibc's argp, refuses unknown TRIVET_ names with the nearest known one, fills `struct tv_settings`, sets the
 * log level, and only then runs the command. A flag wins over the environment, which wins over the default.
 */
#ifndef TRIVET_CLI_OPTIONS_H
#define TRIVET_CLI_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "trivet/base/status.h"

enum tv_option_kind {
    TV_OPTION_TEXT,
    TV_OPTION_INT,    /* min..max, inclusive */
    TV_OPTION_REAL,   /* min..max, inclusive */
    TV_OPTION_CHOICE, /* one of `choices` */
    TV_OPTION_SWITCH, /* no value */
    TV_OPTION_LIST    /* text, may be given more than once */
};

enum { TV_PROGRAM_ETL = 1, TV_PROGRAM_TRAIN = 2, TV_PROGRAM_SERVE = 4, TV_PROGRAM_ALL = 7 };

/* A row of a table that is constant. Members that a row does not name are unset. */
struct tv_option {
    const char *name;  /* long flag, without dashes */
    const char *alias; /* another name of it, or NULL */
    const char *env;   /* environment name, or NULL: flag only */
    enum tv_option_kind kind;
    const char *value;        /* its name in --help, e.g. "URI" */
    const char *default_text; /* the default as text, NULL: unset */
    const char *help;
    double min, max;
    const char *choices; /* "error|info|debug" */
    unsigned programs;   /* which programs take a shared row */
    const char *(*values)(void); /* lines about its values, for the end of --help of the commands that have it; or NULL */
};

/* Whether a text is a value of the option; TV_ERR_USAGE names the flag, the text and what it must be. */
enum tv_status tv_option_check(const struct tv_option *row, const char *text, struct tv_error *err);

struct tv_settings;

/* The value of an option by its long name; asking for a name that the command does not have is a bug and aborts.
 * Text is NULL when unset and lives as long as the settings. */
const char *tv_settings_text(const struct tv_settings *s, const char *name);
long long tv_settings_int(const struct tv_settings *s, const char *name);
double tv_settings_real(const struct tv_settings *s, const char *name);
int tv_settings_on(const struct tv_settings *s, const char *name);    /* of a switch */
int tv_settings_given(const struct tv_settings *s, const char *name); /* by flag or environment */
/* All values of a list, in the order of the command line; the array is the settings'. Returns how many. */
size_t tv_settings_list(const struct tv_settings *s, const char *name, const char *const **values);

/* A command of a program, in a constant table. `run` gets settings that were checked, and as many arguments as were
 * asked for. */
struct tv_command {
    const char *name;      /* "load" */
    const char *arguments; /* "DIR|FILE|ARCHIVE", or "" */
    const char *summary;   /* one line */
    int min_arguments, max_arguments;
    const struct tv_option *options; /* own rows, ended by a row without a name; may be NULL */
    const struct tv_option *const *more; /* tables it has in common with other commands, ended by NULL; may be NULL */
    enum tv_status (*run)(const struct tv_settings *s, int n_arguments, char **arguments, struct tv_error *err);
};

/* A program as its main describes it to tv_program_main. */
struct tv_program {
    const char *name;    /* "trivet-etl" */
    const char *summary; /* one line */
    unsigned mask;       /* its TV_PROGRAM_ bit */
    const struct tv_command *commands; /* ended by a row without a name */
    const char *standard;              /* the command run when none is named, or NULL */
    void (*libraries)(FILE *out);      /* prints the linked libraries, "  libpq 15.10" a line */
    /* Examples at the end of --help, or NULL: a heading, and a line of two blanks, the program's name and the command's each. A
     * command's own --help has those of the command, that of a program with one command all. */
    const char *closing;
};

/* The rows shared by the programs: stores, log, server. Ended by a row without a name. */
extern const struct tv_option tv_shared_options[];

/* A whole program: returns the exit code. */
int tv_program_main(const struct tv_program *program, int argc, char **argv);

/* The words and the environment that a command is called with, and its arguments once the flags are read. */
struct tv_command_line {
    int argc;
    char **argv;                    /* (argc) from a program's name on; reordered */
    const char *const *environment; /* "NAME=value" texts, then NULL */
    int n_arguments;
    char **arguments; /* (n_arguments) in argv: what is no flag */
};
/* Reads one command's flags and environment, and checks every value. On success *out is owned by the caller, and
 * the command line's arguments are what is left of argv. */
enum tv_status tv_settings_parse(struct tv_settings **out, const struct tv_program *program,
                                 const struct tv_command *command, struct tv_command_line *line, struct tv_error *err);
void tv_settings_free(struct tv_settings *s);

#endif
