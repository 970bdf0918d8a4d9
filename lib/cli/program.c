/* program: runs one of a program's commands. argp reads the flags from the same table that --help prints. The mains of
 * etl, train and serve hand their table of commands to tv_program_main, which does the rest. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cli/settings.h"
#include "trivet/base/address.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/version.h"

/* argp keys of the table's rows start here, beyond every character. */
enum { FIRST_KEY = 1000, MAX_ARGUMENTS = 16 };

/* State of one call of argp; argp's callback knows of failure no more than an errno, so the words are kept here. */
struct parse {
    const struct tv_program *program;
    const struct tv_command *command;
    struct tv_settings *settings;
    char *arguments[MAX_ARGUMENTS];
    int n_arguments;
    struct tv_error *err;
    enum tv_status status;
};

/* "how much to say on standard error: error|info|debug; environment TRIVET_LOG; default info". The caller frees it. */
static char *describe(const struct tv_option *row)
{
    struct tv_buffer b = TV_BUFFER_INIT(4096);
    enum tv_status status = tv_buffer_text(&b, row->help, NULL);
    if (row->choices && status == TV_OK)
        status = tv_buffer_format(&b, NULL, ": %s", row->choices);
    if (row->env && status == TV_OK)
        status = tv_buffer_format(&b, NULL, "; environment %s", row->env);
    if (row->default_text && status == TV_OK)
        status = tv_buffer_format(&b, NULL, "; default %s", row->default_text);
    tv_ignore(status, "an option without its whole description can still be used");
    return b.data;
}

/* A flag is checked as argp meets it, so the message is about the first bad one. argp wants an errno for "stop". */
static error_t on_option(int key, char *text, struct argp_state *state)
{
    struct parse *p = state->input;
    if (key >= FIRST_KEY && key < FIRST_KEY + (int)p->settings->n) {
        p->status = tv_settings_put(&p->settings->entries[key - FIRST_KEY], text, 0, p->err);
        return p->status == TV_OK ? 0 : EINVAL;
    }
    if (key == ARGP_KEY_ARG) {
        if (p->n_arguments >= p->command->max_arguments || p->n_arguments >= MAX_ARGUMENTS) {
            p->status = tv_fail(p->err, TV_ERR_USAGE, "%s takes %s, but was also given \"%.*s\"", p->command->name,
                                p->command->arguments[0] ? p->command->arguments : "no arguments",
                                tv_address_shown(text), text);
            return EINVAL;
        }
        p->arguments[p->n_arguments++] = text;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/* argp wants one static description; it is built from the table and freed by free_argp. Shared rows are a group of
 * their own, which --help sets apart. */
static struct argp_option *build_argp(const struct tv_settings *s)
{
    struct argp_option *options = calloc(2 * s->n + 1, sizeof *options), *next = options;
    for (size_t i = 0; options && i < s->n; i++) {
        const struct tv_option *row = s->entries[i].row;
        *next++ = (struct argp_option){.name = row->name,
                                       .key = FIRST_KEY + (int)i,
                                       .arg = row->kind == TV_OPTION_SWITCH ? NULL : row->value,
                                       .doc = describe(row),
                                       .group = row->programs ? 1 : 0};
        if (row->alias)
            *next++ = (struct argp_option){.name = row->alias, .flags = OPTION_ALIAS};
    }
    return options;
}

static void free_argp(struct argp_option *options)
{
    for (struct argp_option *o = options; o && o->name; o++)
        free((void *)o->doc);
    free(options);
}

/* argp was told to print nothing and says only that it failed, so this looks for the flag that begins no row's name
 * (argp takes abbreviations). If there is none, a value is lacking, or is given to an option that takes none. */
static enum tv_status unknown_flag(struct parse *p, int argc, char **argv)
{
    const char *names[2 * TV_SETTINGS_MAX + 1] = {NULL};
    for (size_t i = 0, n = 0; i < p->settings->n; i++) {
        const struct tv_option *row = p->settings->entries[i].row;
        names[n++] = row->name;
        if (row->alias)
            names[n++] = row->alias;
    }
    for (int i = 1; i < argc; i++) {
        char name[64];
        if (strcmp(argv[i], "--") == 0)
            break;
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(argv[i] + (argv[i][1] == '-' ? 2 : 1), "="),
                 argv[i] + (argv[i][1] == '-' ? 2 : 1));
        size_t known = 0;
        while (names[known] && strncmp(names[known], name, strlen(name)) != 0)
            known++;
        if (names[known])
            continue;
        const char *nearest = tv_text_nearest(name, names);
        tv_fail(p->err, TV_ERR_USAGE, "%s %s has no option \"%.*s\"", p->program->name, p->command->name,
                tv_address_shown(argv[i]), argv[i]);
        return nearest ? tv_hint(p->err, "did you mean --%s?", nearest)
                       : tv_hint(p->err, "%s %s --help lists them", p->program->name, p->command->name);
    }
    tv_fail(p->err, TV_ERR_USAGE, "%s %s: an option lacks its value, or has one it does not take",
            p->program->name, p->command->name);
    return tv_hint(p->err, "%s %s --help lists the options", p->program->name, p->command->name);
}

/* The program's examples that call this command; a heading without an example is left out. */
static enum tv_status append_examples(struct tv_buffer *doc, const struct tv_program *program, const struct tv_command *command)
{
    char call[128];
    int headed = 0;
    enum tv_status status = TV_OK;
    size_t n = (size_t)snprintf(call, sizeof call, "  %s %s", program->name, command->name), length;
    for (const char *line = program->closing; line && *line && status == TV_OK; line += length + (line[length] == '\n')) {
        length = strcspn(line, "\n");
        if (length < n || strncmp(line, call, n) != 0 || (line[n] != ' ' && length > n))
            continue;
        status = tv_buffer_format(doc, NULL, "%s%.*s\n", headed ? "" : "Examples:\n", (int)length, line);
        headed = 1;
    }
    return status;
}

/* What argp prints ahead of the options, and behind a \v what it prints after them: nothing that the command does not take. */
static void write_doc(struct tv_buffer *doc, const struct parse *p)
{
    int single = p->program->commands[1].name == NULL;
    enum tv_status status = tv_buffer_format(doc, NULL, "%s\v", p->command->summary);
    for (size_t i = 0; i < p->settings->n && status == TV_OK; i++)
        if (p->settings->entries[i].row->values)
            status = tv_buffer_format(doc, NULL, "%s\n", p->settings->entries[i].row->values());
    if (status == TV_OK && !single)
        status = append_examples(doc, p->program, p->command);
    else if (status == TV_OK && p->program->closing)
        status = tv_buffer_text(doc, p->program->closing, NULL);
    tv_ignore(status, "help without its last lines is help");
}

/* With `help` nothing is parsed: the same description is printed instead. */
static enum tv_status parse_flags(struct parse *p, int argc, char **argv, int help)
{
    struct argp_option *options = build_argp(p->settings);
    if (options == NULL)
        return tv_fail(p->err, TV_ERR_NO_MEMORY, "out of memory for the option table");
    struct tv_buffer doc = TV_BUFFER_INIT(16384);
    if (help) /* only then the program is asked for its other commands: who parses a line alone need not list them */
        write_doc(&doc, p);
    struct argp argp = {.options = options, .parser = on_option, .args_doc = p->command->arguments, .doc = tv_buffer_string(&doc)};
    if (help) {
        char name[128];
        setenv("ARGP_HELP_FMT", "rmargin=110", 0); /* the examples and tables below have longer lines than 79 */
        snprintf(name, sizeof name, "%s%s%s", p->program->name, p->program->commands[1].name ? " " : "",
                 p->program->commands[1].name ? p->command->name : "");
        argp_help(&argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK, name);
    } else if (argp_parse(&argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP, NULL, p) != 0 &&
               p->status == TV_OK) {
        p->status = unknown_flag(p, argc, argv);
    }
    tv_buffer_free(&doc);
    free_argp(options);
    return p->status;
}

/* Too many arguments are refused while argp hands them over (on_option). */
static enum tv_status check_arguments(struct parse *p)
{
    if (p->n_arguments >= p->command->min_arguments)
        return TV_OK;
    tv_fail(p->err, TV_ERR_USAGE, "%s %s needs %s", p->program->name, p->command->name, p->command->arguments);
    return tv_hint(p->err, "%s %s --help says more", p->program->name, p->command->name);
}

/* Flags come ahead of the environment, whose values are taken, and checked, only where no flag has given one. */
enum tv_status tv_settings_parse(struct tv_settings **out, const struct tv_program *program,
                                 const struct tv_command *command, struct tv_command_line *line, struct tv_error *err)
{
    struct parse p = {.program = program, .command = command, .err = err};
    enum tv_status status = tv_settings_check_names(line->environment, err);
    if (status == TV_OK)
        status = tv_settings_create(&p.settings, program, command, err);
    if (status == TV_OK)
        status = parse_flags(&p, line->argc, line->argv, 0);
    if (status == TV_OK)
        status = check_arguments(&p);
    if (status == TV_OK)
        status = tv_settings_environment(p.settings, line->environment, err);
    if (status != TV_OK) {
        tv_settings_free(p.settings);
        return status;
    }
    /* argv is ours to reorder: the arguments go to its front, behind the program's name. */
    for (int i = 0; i < p.n_arguments; i++)
        line->argv[i + 1] = p.arguments[i];
    *out = p.settings;
    line->n_arguments = p.n_arguments;
    line->arguments = line->argv + 1;
    return TV_OK;
}

/* Help needs only the table of options, so no value is looked at. */
static void print_help(const struct tv_program *program, const struct tv_command *command)
{
    struct tv_error err = {.status = TV_OK};
    struct parse p = {.program = program, .command = command, .err = &err};
    if (tv_settings_create(&p.settings, program, command, &err) == TV_OK)
        tv_ignore(parse_flags(&p, 0, NULL, 1), "without memory for the table of options there is no help to print");
    tv_settings_free(p.settings);
}

/* trivet-serve, with its one command, never comes here: its --help is that of the command. */
static void print_commands(const struct tv_program *program)
{
    printf("%s %s: %s\n\nCommands:\n", program->name, TRIVET_VERSION, program->summary);
    for (const struct tv_command *c = program->commands; c->name; c++) {
        printf("  %-12s %-16s %s%s\n", c->name, c->arguments, c->summary,
               program->standard && strcmp(program->standard, c->name) == 0 ? " (the default)" : "");
    }
    printf("\n%s COMMAND --help lists a command's options; %s --version the linked libraries.\n", program->name,
           program->name);
    if (program->closing)
        printf("\n%s\n", program->closing);
}

static void print_version(const struct tv_program *program)
{
    printf("%s %s\n", program->name, TRIVET_VERSION);
    if (program->libraries)
        program->libraries(stdout);
}

/* NULL without a name, and for a name that is no command's. */
static const struct tv_command *find_command(const struct tv_program *program, const char *name)
{
    for (const struct tv_command *c = program->commands; name && c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* `name` is NULL where none was given to a program that has no standard command (trivet-etl). */
static enum tv_status unknown_command(const struct tv_program *program, const char *name, struct tv_error *err)
{
    const char *names[32];
    size_t n = 0;
    for (const struct tv_command *c = program->commands; c->name && n < 31; c++)
        names[n++] = c->name;
    names[n] = NULL;
    const char *nearest = name ? tv_text_nearest(name, names) : NULL;
    if (name == NULL)
        tv_fail(err, TV_ERR_USAGE, "%s needs a command", program->name);
    else
        tv_fail(err, TV_ERR_USAGE, "%s has no command \"%.*s\"", program->name, tv_address_shown(name), name);
    return nearest ? tv_hint(err, "did you mean %s %s?", program->name, nearest)
                   : tv_hint(err, "%s --help lists the commands", program->name);
}

/* Ahead of all parsing, so that help and version come even where a flag or the environment is wrong. */
static int asks_for(int argc, char **argv, const char *flag)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], flag) == 0)
            return 1;
    return 0;
}

/* The one place where a program's failure is told. */
static int finish(const struct tv_program *program, enum tv_status status, const struct tv_error *err)
{
    if (status != TV_OK)
        tv_log_failure(program->name, err);
    return tv_exit_code(status);
}

/* The order matters: --version and --help come before anything is checked, all values are checked before the log
 * level is set, and only then does the command run. A program with one command (trivet-serve) is called without its
 * name, and its first word is no command then. */
int tv_program_main(const struct tv_program *program, int argc, char **argv)
{
    struct tv_error err = {.status = TV_OK};
    int named = argc > 1 && argv[1][0] != '-';
    int single = program->commands[1].name == NULL;
    const struct tv_command *command = find_command(program, named && !single ? argv[1] : program->standard);
    if (asks_for(argc, argv, "--version")) {
        print_version(program);
        return 0;
    }
    if (asks_for(argc, argv, "--help") || (argc > 1 && strcmp(argv[1], "help") == 0 && !single)) {
        if (command && (named || single))
            print_help(program, command);
        else
            print_commands(program);
        return 0;
    }
    if (command == NULL)
        return finish(program, unknown_command(program, named ? argv[1] : NULL, &err), &err);

    struct tv_settings *settings = NULL;
    int skip = named && !single;
    struct tv_command_line line = {
        .argc = argc - skip, .argv = argv + skip, .environment = (const char *const *)environ};
    enum tv_status status = tv_settings_parse(&settings, program, command, &line, &err);
    if (status == TV_OK) {
        tv_log_set_level(tv_log_level_from(tv_settings_text(settings, "log")));
        status = command->run(settings, line.n_arguments, line.arguments, &err);
    }
    tv_settings_free(settings);
    return finish(program, status, &err);
}
