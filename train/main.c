/* trivet-train: learns factors from ratings, publishes them, and looks after the models that are kept. Here stands
 * the table of its commands; parsing, --help and exit codes are lib/cli's.
 */
#include <cblas.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "train/fit/fit.h"
#include "train/judge/trial.h"
#include "train/lists/precompute.h"
#include "train/lists/recommend.h"
#include "train/models/compare.h"
#include "train/models/evaluate.h"
#include "train/models/models.h"
#include "train/models/runs.h"
#include "train/models/show.h"
#include "train/search/search.h"
#include "train/similar/similar.h"
#include "train/travel/export.h"
#include "train/travel/import.h"
#include "trivet/cli/options.h"
#include "trivet/cli/table.h"
#include "trivet/core/formats/codec.h"

/* The one command whose options need no file of their own. */
static const struct tv_option models_options[] = {
    {.name = "all", .kind = TV_OPTION_SWITCH, .help = "also runs that failed and models that were pruned"},
    {.name = NULL},
};

/* Tables that several commands share: how to learn, what to read, what to keep apart, how to print. */
static const struct tv_option *const learning[] = {tv_learn_options, tv_reading_options, NULL};
static const struct tv_option *const printing[] = {tv_format_options, NULL};
static const struct tv_option *const judging[] = {tv_learn_options, tv_reading_options, tv_trial_options, NULL};

/* The rows in the order in which --help lists them. */
static const struct tv_command commands[] = {
    {.name = "fit",
     .arguments = "",
     .summary = "learn a model from the filtered ratings and make it live",
     .options = tv_fit_options,
     .more = learning,
     .run = tv_fit_run},
    {.name = "evaluate",
     .arguments = "",
     .summary = "judge settings on ratings kept apart, beside plain baselines",
     .options = tv_evaluate_options,
     .more = judging,
     .run = tv_evaluate_run},
    {.name = "search",
     .arguments = "",
     .summary = "try many settings on ratings kept apart, and say which to train with",
     .options = tv_search_options,
     .more = tv_search_subject,
     .run = tv_search_run},
    {.name = "models",
     .arguments = "",
     .summary = "list the models that are kept",
     .options = models_options,
     .run = tv_models_run},
    {.name = "activate",
     .arguments = "N",
     .summary = "make a kept model the live one",
     .min_arguments = 1,
     .max_arguments = 1,
     .run = tv_activate_run},
    {.name = "rollback",
     .arguments = "",
     .summary = "go back to the model that was live before",
     .run = tv_rollback_run},
    {.name = "repair",
     .arguments = "",
     .summary = "make journal, MongoDB and Redis agree after a crash or a lost store",
     .run = tv_repair_run},
    {.name = "runs",
     .arguments = "",
     .summary = "list the journal: every training, also those that failed",
     .more = printing,
     .run = tv_runs_run},
    {.name = "show",
     .arguments = "N|live",
     .summary = "all about one run, with the command and the SQL that repeat it; or a score taken apart; or factors",
     .min_arguments = 1,
     .max_arguments = 1,
     .options = tv_show_options,
     .more = printing,
     .run = tv_show_run},
    {.name = "compare",
     .arguments = "R1 R2",
     .summary = "two runs side by side, and what they do to lists",
     .min_arguments = 2,
     .max_arguments = 2,
     .options = tv_compare_options,
     .more = printing,
     .run = tv_compare_run},
    {.name = "recommend",
     .arguments = "[N|live]",
     .summary = "lists of many users, on standard output or into trivet.recommendation",
     .max_arguments = 1,
     .options = tv_recommend_options,
     .run = tv_recommend_run},
    {.name = "precompute",
     .arguments = "[N|live]",
     .summary = "every user's list, stored beside their factors",
     .max_arguments = 1,
     .options = tv_precompute_options,
     .run = tv_precompute_run},
    {.name = "export",
     .arguments = "N|live DIR",
     .summary = "a model as a folder, for notebooks and for import",
     .min_arguments = 2,
     .max_arguments = 2,
     .options = tv_export_options,
     .run = tv_export_run},
    {.name = "import",
     .arguments = "DIR",
     .summary = "take in a model that another trivet exported",
     .min_arguments = 1,
     .max_arguments = 1,
     .options = tv_import_options,
     .run = tv_import_run},
    {.name = "similar",
     .arguments = "",
     .summary = "index which items have much the same audience, from who rated or played what",
     .options = tv_similar_options,
     .run = tv_similar_run},
    {.name = NULL},
};

/* Printed by --version behind the program's own version. */
static void print_libraries(FILE *out)
{
    char codec[128];
    tv_codec_libraries(codec, sizeof codec);
    fprintf(out, "  %s\n  %s\n  %s\n  %s\n  %s\n  jansson %s\n", tv_pg_library(), tv_mongo_library(), tv_redis_library(),
            codec, openblas_get_config(), jansson_version_str());
}

/* OpenMP's threads wait for one another by spinning for milliseconds, which takes the cores from PostgreSQL and
 * MongoDB while these work for the training: a fit on two busy cores took 3.6 s where it takes 2.1 s with short
 * spins, and an idle machine loses nothing by them. The library reads that setting while it is loaded, so the
 * program starts itself once more; the setting is in the environment then, and the second start goes on. A setting that
 * somebody made is left alone. MongoDB's client library takes a file in /dev/shm while it is loaded, which
 * exec would leave behind, so it is unloaded first. */
static void wait_with_short_spins(char **argv)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || setenv("GOMP_SPINCOUNT", "10000", 1) != 0)
        return;
    self[n] = '\0';
    tv_mongo_unload();
    execv(self, argv);
    perror("trivet-train: cannot start itself again");
    exit(1);
}

static const struct tv_program program = {
    .name = "trivet-train",
    .summary = "learns factors from ratings and publishes them",
    .mask = TV_PROGRAM_TRAIN,
    .commands = commands,
    .standard = "fit", /* without a command */
    .libraries = print_libraries,
    .closing = "Examples:\n"
               "  trivet-train fit\n"
               "  trivet-train fit --set max_items_for_user=200 --factors 15\n"
               "  trivet-train fit --set genres=Drama,Comedy --dry-run\n"
               "  trivet-train fit --algorithm als --factors 20 --lambda 0.1 --biases\n"
               "  trivet-train evaluate --set max_items_for_user=200 --factors 15\n"
               "  trivet-train search --factors 10,15,20 --over max_items_for_user=100,200\n"
               "  trivet-train models\n"
               "  trivet-train activate 2\n"
               "  trivet-train rollback\n"
               "  trivet-train compare 2 7\n"
               "  trivet-train recommend 7 --top 15 --to postgres\n"
               "  trivet-train similar --min-rating 4 --since 2015-01-01",
};

int main(int argc, char **argv)
{
    wait_with_short_spins(argv);
    return tv_program_main(&program, argc, argv);
}
