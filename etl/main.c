/* trivet-etl: the program that brings ratings from files into Postgres, and shows what a filter makes of them. Here
 * stands the table of its commands; parsing, --help and the exit code are lib/cli's, and each command's work is a
 * function of commands.h or explore.h.
 */
#include <jansson.h>

#include "etl/commands.h"
#include "etl/explore.h"
#include "etl/detect/choices.h"
#include "etl/fetch/download.h"
#include "etl/fetch/transfer.h"
#include "trivet/store/pg.h"

/* Options of the commands that read or write files. Those of the commands that look into Postgres stand in explore.c
 * beside their code, and those that say how files are read in detect/choices.c. */
static const struct tv_option load_options[] = {
    {.name = "name",
     .kind = TV_OPTION_TEXT,
     .value = "TEXT",
     .help = "what people call the data; without it, the folder's name"},
    {.name = "append", .kind = TV_OPTION_SWITCH, .help = "keep the ratings of earlier loads"},
    {.name = "same",
     .kind = TV_OPTION_SWITCH,
     .help = "it is the data of that name in a newer state, though most titles, or most pairs of user and item, are others"},
    {.name = "if-changed", .kind = TV_OPTION_SWITCH, .help = "do nothing if the same files were loaded last; with --append, if they are among what is loaded"},
    {.name = "yield",
     .kind = TV_OPTION_SWITCH,
     .help = "do nothing where data from another place is loaded, or from this one under a name that was given; generated ones aside"},
    {.name = NULL},
};

static const struct tv_option *const reading_options[] = {tv_choices_options, tv_fetch_options, NULL};

/* The upper bounds keep the ids of users and items within 32 bits (synth.c). */
static const struct tv_option synth_options[] = {
    {.name = "users",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "1000",
     .min = 1,
     .max = 100e6,
     .help = "users"},
    {.name = "items",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "500",
     .min = 1,
     .max = 1e6,
     .help = "items"},
    {.name = "ratings",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "50000",
     .min = 1,
     .max = 10e9,
     .help = "ratings, at most half of users times items"},
    {.name = "seed",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "1",
     .min = 0,
     .max = 9e15,
     .help = "the same seed gives the same files"},
    {.name = NULL},
};

/* The rows in the order in which --help lists them. schema takes no arguments and no options of its own. */
static const struct tv_command commands[] = {
    {.name = "load",
     .arguments = "DIR|FILE|ARCHIVE|URL",
     .summary = "Load a rating set; another one that was loaded before is kept aside.",
     .min_arguments = 1,
     .max_arguments = 1,
     .options = load_options,
     .more = reading_options,
     .run = tv_etl_load},
    {.name = "inspect",
     .arguments = "DIR|FILE|ARCHIVE|URL",
     .summary = "Show what load would read; writes nothing.",
     .min_arguments = 1,
     .max_arguments = 1,
     .more = reading_options,
     .run = tv_etl_inspect},
    {.name = "synth",
     .arguments = "DIR",
     .summary = "Write a generated rating set as files.",
     .min_arguments = 1,
     .max_arguments = 1,
     .options = synth_options,
     .run = tv_etl_synth},
    {.name = "schema",
     .arguments = "",
     .summary = "Apply the schema and its functions, and nothing else.",
     .options = NULL,
     .run = tv_etl_schema},
    {.name = "datasets",
     .arguments = "[use NAME | drop NAME]",
     .summary = "List the data sets that are kept, make one the current one, or delete one.",
     .max_arguments = 2,
     .more = tv_report_options,
     .run = tv_etl_datasets},
    {.name = "forget",
     .arguments = "user|item ID",
     .summary = "Take a user or an item out of the current data set, its models and its index of similar items.",
     .min_arguments = 2,
     .max_arguments = 2,
     .run = tv_etl_forget},
    {.name = "funnel",
     .arguments = "",
     .summary = "Show what each step of a filter leaves, beside another filter.",
     .options = tv_funnel_options,
     .more = tv_filter_report_options,
     .run = tv_etl_funnel},
    {.name = "sweep",
     .arguments = "",
     .summary = "Show what a filter keeps over a grid of values of one or two parameters.",
     .options = tv_sweep_options,
     .more = tv_filter_report_options,
     .run = tv_etl_sweep},
    {.name = "why",
     .arguments = "item|user ID",
     .summary = "Show which step of a filter removes an item or a user.",
     .min_arguments = 2,
     .max_arguments = 2,
     .more = tv_filter_report_options,
     .run = tv_etl_why},
    {.name = "activity",
     .arguments = "users|items",
     .summary = "Show the distribution that thresholds are chosen from.",
     .min_arguments = 1,
     .max_arguments = 1,
     .more = tv_report_options,
     .run = tv_etl_activity},
    {.name = "quality",
     .arguments = "",
     .summary = "Show what is odd about the ratings, each with a query for its rows.",
     .more = tv_report_options,
     .run = tv_etl_quality},
    {.name = "presets",
     .arguments = "",
     .summary = "List the saved filters.",
     .more = tv_report_options,
     .run = tv_etl_presets},
    {.name = NULL},
};

/* Printed by --version behind the program's own version. */
static void libraries(FILE *out)
{
    fprintf(out, "  %s\n  %s\n  %s\n  %s\n  jansson %s\n", tv_pg_library(), tv_input_library(), tv_record_library(),
            tv_transfer_library(), JANSSON_VERSION);
}

static const struct tv_program program = {
    .name = "trivet-etl",
    .summary = "ratings from files into Postgres",
    .mask = TV_PROGRAM_ETL,
    .commands = commands,
    .libraries = libraries,
    .closing = "Examples:\n"
               "  trivet-etl inspect ml-latest-small.zip\n"
               "  trivet-etl load ml-latest-small.zip\n"
               "  trivet-etl load https://files.grouplens.org/datasets/movielens/ml-latest-small.zip\n"
               "  trivet-etl load more-ratings --append\n"
               "  trivet-etl synth generated --users 1000 --items 500\n"
               "  trivet-etl datasets use films       films is loaded in place of the current one, which is kept\n"
               "  trivet-etl datasets drop films      deletes it for ever, with all that was made of it\n"
               "  trivet-etl forget user 770077       ratings, tags and documents of a user, in the current data set\n"
               "  trivet-etl forget item B00005JNBQ   an item, by its code; each kept model is made again without it\n"
               "  trivet-etl funnel --set max_items_for_user=200 --against live\n"
               "  trivet-etl sweep --over min_users_for_item=5,10,20 --over max_items_for_user=50,100\n"
               "  trivet-etl why item 8 --set min_users_for_item=300\n"
               "  trivet-etl activity items",
};

int main(int argc, char **argv)
{
    return tv_program_main(&program, argc, argv);
}
