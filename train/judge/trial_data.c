/* trial_data: reads the ratings and divides them, once for all trials. The training portion is held twice: as
 * evidence, with rows and ids, to learn and fold in from; and as a matrix, which is what an evaluation knows of
 * users and items.
 */
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/judge/given.h"
#include "train/judge/trial.h"
#include "trivet/base/buffer.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

const struct tv_option tv_trial_options[] = {
    {.name = "split",
     .kind = TV_OPTION_CHOICE,
     .value = "KIND",
     .default_text = "random",
     .choices = "random|time|last",
     .help = "what is kept apart: pairs of user and item at random, the newest of all, or the last of each user, which a search cannot choose by"},
    {.name = "test",
     .kind = TV_OPTION_TEXT,
     .value = "SHARE|FILE",
     .default_text = "0.2",
     .help = "how large a share; or, with --train of evaluate, the file to judge on"},
    {.name = "last",
     .kind = TV_OPTION_INT,
     .value = "K",
     .default_text = "5",
     .min = 1,
     .max = 1e9,
     .help = "of evaluate: ratings of each user for --split last"},
    {.name = "split-seed",
     .kind = TV_OPTION_INT,
     .value = "S",
     .default_text = "1",
     .min = 0,
     .max = 9e18,
     .help = "which pairs --split random and a fraction take"},
    {.name = "train",
     .kind = TV_OPTION_TEXT,
     .value = "FILE",
     .help = "of evaluate: learn from the ratings of this file and judge on those of --test FILE, for published splits; "
             "what Postgres holds plays no part"},
    {.name = "relevant",
     .kind = TV_OPTION_REAL,
     .value = "RATING",
     .min = -1e30,
     .max = 1e30,
     .help = "a rating kept apart counts as a hit from here on (default: every one does)"},
    {.name = NULL},
};

/* --- options ----------------------------------------------------------------------------------------------------- */

static enum tv_split_kind kind_of(const struct tv_settings *s)
{
    const char *name = tv_settings_text(s, "split");
    return strcmp(name, "time") == 0 ? TV_SPLIT_TIME : strcmp(name, "last") == 0 ? TV_SPLIT_LAST : TV_SPLIT_RANDOM;
}

/* The flag is a text, because with --train it is a file; so its bounds are checked here. */
static enum tv_status read_share(double *share, const struct tv_settings *s, struct tv_error *err)
{
    const char *text = tv_settings_text(s, "test");
    if (tv_text_double(text, strlen(text), share) && *share >= 0.001 && *share <= 0.9)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "--test is \"%s\", but must be a share from 0.001 to 0.9", text);
    return tv_hint(err, "a file to judge on goes with --train, the file to learn from");
}

/* Flags that mean nothing to the kind of split are refused rather than ignored. */
static enum tv_status refuse_foreign(const struct tv_settings *s, struct tv_error *err)
{
    const char *train = tv_settings_text(s, "train");
    enum tv_split_kind kind = kind_of(s);
    double share;
    if (train && !tv_settings_given(s, "test"))
        return tv_fail(err, TV_ERR_USAGE, "--train %s needs --test FILE: what to judge on", train);
    static const char *const not_with_files[] = {"split", "last", "validation", "preset", "source", "fold-in-source"};
    for (size_t i = 0; train && i < sizeof not_with_files / sizeof *not_with_files; i++)
        if (tv_settings_given(s, not_with_files[i]))
            return tv_fail(err, TV_ERR_USAGE, "--%s means nothing where --train and --test name files", not_with_files[i]);
    if (tv_settings_given(s, "last") && kind != TV_SPLIT_LAST)
        return tv_fail(err, TV_ERR_USAGE, "--last goes with --split last");
    if (kind == TV_SPLIT_LAST && (tv_settings_given(s, "test") || tv_settings_given(s, "validation")))
        return tv_fail(err, TV_ERR_USAGE, "--split last takes --last K ratings of each user, and no share");
    return train || kind == TV_SPLIT_LAST ? TV_OK : read_share(&share, s, err);
}

/* Makes the journal's column `data` where no load is behind the ratings. */
static enum tv_status describe_files(struct tv_reading *r, struct tv_error *err)
{
    char name[2 * NAME_MAX + 8];
    const char *train = tv_settings_text(r->settings, "train"), *test = tv_settings_text(r->settings, "test");
    snprintf(name, sizeof name, "%s and %s", basename(train), basename(test));
    json_t *data = json_pack("{s:s, s:s, s:s}", "name", name, "train", train, "test", test);
    r->data = data ? json_dumps(data, 0) : NULL;
    json_decref(data);
    return r->data ? TV_OK : tv_fail(err, TV_ERR_USAGE, "%s and %s are no UTF-8", train, test);
}

/* A random split needs no times, and so no column of them is read. */
enum tv_status tv_trial_open(struct tv_reading *r, struct tv_error *err)
{
    const struct tv_settings *s = r->settings;
    enum tv_status status = refuse_foreign(s, err);
    if (status != TV_OK)
        return status;
    if (tv_settings_text(s, "train")) {
        status = tv_reading_begin(r, err);
        return status == TV_OK ? describe_files(r, err) : status;
    }
    r->with_times = kind_of(s) != TV_SPLIT_RANDOM;
    status = tv_reading_begin(r, err);
    if (status == TV_OK)
        status = tv_reading_look(r, err);
    return status == TV_OK ? tv_reading_describe_data(r, err) : status;
}

/* Shares mean nothing to a published split and to --split last (refuse_foreign), and stay at their defaults there. */
static enum tv_status read_options(struct tv_trial_data *d, const struct tv_settings *s, struct tv_error *err)
{
    d->relevant = tv_settings_given(s, "relevant") ? (float)tv_settings_real(s, "relevant") : -INFINITY;
    tv_split_defaults(&d->split);
    d->split.kind = kind_of(s);
    d->split.last = tv_settings_int(s, "last");
    d->split.seed = (uint64_t)tv_settings_int(s, "split-seed");
    d->train_file = tv_settings_text(s, "train");
    d->test_file = d->train_file ? tv_settings_text(s, "test") : NULL;
    if (d->train_file || d->split.kind == TV_SPLIT_LAST)
        return TV_OK;
    d->split.validation = tv_settings_real(s, "validation");
    return read_share(&d->split.test, s, err);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* These settings change who is learned from in ways that only Postgres knows, and it would count the ratings kept
 * apart, too. */
static enum tv_status refuse_what_leaks(const struct tv_reading *r, struct tv_error *err)
{
    const char *leak = r->own_source && !r->same_rows ? "--fold-in-source" : tv_filter_only_learning(r->filter);
    if (leak == NULL)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "%s cannot be evaluated: the rows it gives would hold ratings that are kept apart", leak);
    return tv_hint(err, "leave it out; the other settings are applied to the training part alone");
}

/* The files are taken as they are: nothing is known of their items. */
static enum tv_status refuse_conditions(const struct tv_reading *r, struct tv_error *err)
{
    struct tv_filter *defaults = NULL;
    enum tv_status status = tv_filter_create(&defaults, err);
    const char *other = status == TV_OK ? tv_filter_other_rows(r->filter, defaults) : NULL;
    tv_filter_free(defaults);
    if (other == NULL)
        return status;
    tv_fail(err, TV_ERR_USAGE, "%s chooses among the ratings of Postgres, but --train and --test name files", other);
    return tv_hint(err, "the two cuts and max_row_number are applied to the file to learn from");
}

/* The user of each pair, written out: evidence has each user once, the functions that divide want pairs. */
static int64_t *users_of_pairs(const struct tv_evidence *e, struct tv_error *err)
{
    int64_t *users = tv_alloc(e->n_pairs, sizeof *users, "users", err);
    for (size_t u = 0; users && u < e->n_users; u++)
        for (size_t i = e->start[u]; i < e->start[u + 1]; i++)
            users[i] = e->users[u];
    return users;
}

/* --- dividing ---------------------------------------------------------------------------------------------------- */

/* A hash of every pair with its value and its portion: equal for the same ratings, divided alike, however that came
 * about. */
static void set_fingerprint(struct tv_trial_data *d, const struct tv_pairs *p, const struct tv_split *split)
{
    uint64_t h = tv_hash(TV_HASH_START, p->user, p->n * sizeof *p->user);
    h = tv_hash(h, p->item, p->n * sizeof *p->item);
    h = tv_hash(h, p->value, p->n * sizeof *p->value);
    h = tv_hash(h, split->portion, p->n);
    snprintf(d->fingerprint, sizeof d->fingerprint, "%016llx", (unsigned long long)h);
}

/* Makes the training portion in both forms, and a holdout of each other portion that has pairs. */
static enum tv_status divide(struct tv_trial_data *d, const struct tv_evidence *all, const struct tv_pairs *pairs,
                             const struct tv_split *split, struct tv_error *err)
{
    set_fingerprint(d, pairs, split);
    enum tv_status status = tv_evidence_pick(&d->training, all, split->portion, TV_TRAINING, err);
    if (status == TV_OK)
        status = tv_split_matrix(&d->training_matrix, pairs, split, TV_TRAINING, err);
    for (int portion = TV_TRAINING + 1; portion < TV_PORTIONS && status == TV_OK; portion++)
        if (split->n[portion] > 0)
            status = tv_holdout_create(&d->holdout[portion], pairs, split, (enum tv_portion)portion,
                                       &d->training_matrix, d->relevant, err);
    return status;
}

/* Says how much cannot be judged: a user without a training rating has no list, and an item without one is in none. */
static void report_holdout(const char *what, const struct tv_holdout_counts *c)
{
    char rows[32], users[32], cold_users[32], cold_items[32], user_rows[32], item_rows[32];
    if (c->rows == 0)
        return;
    tv_log_info("%s: %s pairs of %s users; %s users without a training rating (%s pairs, in no mean), %s items "
                "without one (%s pairs of known users: missed by every list, in no rating error)",
                what, tv_text_number(rows, c->rows), tv_text_number(users, c->users),
                tv_text_number(cold_users, c->cold_users), tv_text_number(user_rows, c->cold_user_rows),
                tv_text_number(cold_items, c->cold_items), tv_text_number(item_rows, c->cold_item_rows));
}

/* Reads the ratings, from two files or from Postgres, once the settings that cannot be judged are refused. */
static enum tv_status read(struct tv_reading *r, struct tv_split *split, const struct tv_trial_data *d,
                           struct tv_error *err)
{
    enum tv_status status = d->train_file ? refuse_conditions(r, err) : refuse_what_leaks(r, err);
    if (status != TV_OK)
        return status;
    return d->train_file ? tv_given_read(&r->evidence, split, d->train_file, d->test_file, err)
                         : tv_reading_read(r, err);
}

static void report_data(const struct tv_trial_data *d)
{
    report_holdout("kept apart", &d->holdout[TV_TEST].counts);
    report_holdout("for validation", &d->holdout[TV_VALIDATION].counts);
}

/* Divides the pairs as d->split says, unless the two files of a published split have divided them already. */
static enum tv_status divide_as_asked(struct tv_trial_data *d, const struct tv_evidence *all, const double *times,
                                      struct tv_split *given, struct tv_error *err)
{
    int64_t *users = users_of_pairs(all, err);
    const struct tv_pairs pairs = {.n = all->n_pairs, .user = users, .item = all->items, .value = all->ratings, .time = times};
    enum tv_status status = users ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK && given->portion == NULL)
        status = tv_split(given, &pairs, &d->split, err);
    if (status == TV_OK)
        status = divide(d, all, &pairs, given, err);
    free(users);
    return status;
}

enum tv_status tv_trial_divide(struct tv_trial_data *out, const struct tv_evidence *all,
                               const struct tv_split_options *options, const struct tv_reading *r, struct tv_error *err)
{
    struct tv_split split = {0};
    *out = (struct tv_trial_data){.training = TV_EVIDENCE_INIT,
                                  .split = *options,
                                  .relevant = -INFINITY,
                                  .filter = r->own_source ? NULL : r->filter};
    enum tv_status status = refuse_what_leaks(r, err);
    if (status == TV_OK)
        status = divide_as_asked(out, all, NULL, &split, err);
    tv_split_free(&split);
    if (status != TV_OK)
        tv_trial_data_free(out);
    return status;
}

/* The rows as they were read are dropped afterwards; the portions are copies. */
enum tv_status tv_trial_prepare(struct tv_trial_data *out, struct tv_reading *r, struct tv_error *err)
{
    struct tv_split split = {0};
    *out = (struct tv_trial_data){.training = TV_EVIDENCE_INIT, .filter = r->own_source ? NULL : r->filter};
    enum tv_status status = read_options(out, r->settings, err);
    if (status == TV_OK)
        status = read(r, &split, out, err);
    if (status == TV_OK)
        status = divide_as_asked(out, &r->evidence, r->times, &split, err);
    tv_split_free(&split);
    tv_reading_drop(r);
    if (status == TV_OK)
        report_data(out);
    else
        tv_trial_data_free(out);
    return status;
}

void tv_trial_data_free(struct tv_trial_data *d)
{
    tv_evidence_free(&d->training);
    tv_matrix_free(&d->training_matrix);
    for (int portion = 0; portion < TV_PORTIONS; portion++)
        tv_holdout_free(&d->holdout[portion]);
    *d = (struct tv_trial_data){.training = TV_EVIDENCE_INIT};
}
