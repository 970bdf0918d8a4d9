/* synth: a rating set as files, for trying things out where no real one can be had. Everything follows from the
 * seed: the same seed gives the same files. One user at a time is in memory, so the number of ratings is bounded by
 * the disk alone.
 */
#include <jansson.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "etl/commands.h"
#include "etl/synth/taste.h"
#include "etl/synth/title.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/progress.h"
#include "trivet/version.h"

enum { FLUSH_BYTES = 256 * 1024, FIRST_YEAR = 1950, YEARS = 75 };

/* One set that is being written. Memory grows with the number of users and items, not with that of ratings. */
struct synth {
    const char *folder;
    uint32_t users, items;
    uint64_t ratings, seed;
    struct tv_random random;
    struct tv_synth_world world;
    uint32_t *counts; /* (users) ratings of each */
    uint32_t *marks;  /* (items) last user who rated it, from 1 */
    struct tv_buffer out;
    FILE *file;
    struct tv_progress progress;
};

/* --- files ---------------------------------------------------------------------------------------------- */

/* A file is written as NAME.part and gets its name when it is whole, so that a load never reads half of one. */
static void path_of(const struct synth *s, const char *name, const char *suffix, char *out, size_t size)
{
    snprintf(out, size, "%s/%s%s", s->folder, name, suffix);
}

/* Opens NAME.part for the functions below; at most one file is open at a time. */
static enum tv_status begin_file(struct synth *s, const char *name, struct tv_error *err)
{
    char path[4096];
    path_of(s, name, ".part", path, sizeof path);
    s->file = fopen(path, "wb");
    return s->file ? TV_OK : tv_fail(err, TV_ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

/* Writes what has gathered, some 256 KB at a time. */
static enum tv_status flush(struct synth *s, struct tv_error *err)
{
    size_t written = fwrite(s->out.data, 1, s->out.size, s->file);
    enum tv_status status = written == s->out.size ? TV_OK
                                                   : tv_fail(err, TV_ERR_IO, "cannot write to %s: %s",
                                                             s->folder, strerror(errno));
    tv_buffer_clear(&s->out);
    return status;
}

/* Closes the file before it gets its name: a full disk may show only then. */
static enum tv_status end_file(struct synth *s, const char *name, struct tv_error *err)
{
    char part[4096], path[4096];
    path_of(s, name, ".part", part, sizeof part);
    path_of(s, name, "", path, sizeof path);
    enum tv_status status = s->out.size > 0 ? flush(s, err) : TV_OK;
    int failed = fclose(s->file) != 0;
    s->file = NULL;
    if (status == TV_OK && (failed || rename(part, path) != 0))
        status = tv_fail(err, TV_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    return status;
}

/* Somebody's own ratings must not be written over: the folder is new, has no ratings.csv, or has the marker of a
 * generated set. */
static enum tv_status prepare_folder(const struct synth *s, struct tv_error *err)
{
    char ratings[4096], marker[4096];
    path_of(s, "ratings.csv", "", ratings, sizeof ratings);
    path_of(s, "trivet-synth.json", "", marker, sizeof marker);
    if (mkdir(s->folder, 0777) != 0 && errno != EEXIST)
        return tv_fail(err, TV_ERR_IO, "cannot make folder %s: %s", s->folder, strerror(errno));
    if (access(ratings, F_OK) == 0 && access(marker, F_OK) != 0) {
        tv_fail(err, TV_ERR_USAGE, "%s holds ratings that were not generated", s->folder);
        return tv_hint(err, "give another folder");
    }
    return TV_OK;
}

/* Written first, so that generated ratings never lie there without it: a load notes that they are generated, and
 * pages say so. */
static enum tv_status write_marker(struct synth *s, struct tv_error *err)
{
    enum tv_status status = begin_file(s, "trivet-synth.json", err);
    json_t *marker = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:i}", "generated_by", "trivet-etl synth", "version",
                               TRIVET_VERSION, "users", (json_int_t)s->users, "items", (json_int_t)s->items, "ratings",
                               (json_int_t)s->ratings, "seed", (json_int_t)s->seed, "rank", TV_SYNTH_RANK);
    char *text = marker ? json_dumps(marker, 0) : NULL;
    json_decref(marker);
    if (status == TV_OK)
        status = text ? tv_buffer_format(&s->out, err, "%s\n", text)
                      : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the marker of a generated set");
    free(text);
    return status == TV_OK ? end_file(s, "trivet-synth.json", err) : status;
}

/* The format of MovieLens (movielens.c), so that nothing need be told to load it. */
static enum tv_status write_items(struct synth *s, struct tv_error *err)
{
    enum tv_status status = begin_file(s, "movies.csv", err);
    if (status == TV_OK)
        status = tv_buffer_text(&s->out, "movieId,title,genres\n", err);
    for (uint32_t i = 0; i < s->items && status == TV_OK; i++) {
        const struct tv_synth_item *item = &s->world.items[i];
        char title[160];
        int year = FIRST_YEAR + (int)tv_random_below(&s->random, YEARS);
        tv_synth_title(title, sizeof title, i);
        status = tv_buffer_format(&s->out, err, "%u,%s (%d),", i + 1, title, year);
        for (int g = 0; g < item->n_genres && status == TV_OK; g++)
            status = tv_buffer_format(&s->out, err, "%s%s", g ? "|" : "", tv_synth_genres[item->genres[g]]);
        if (status == TV_OK)
            status = tv_buffer_text(&s->out, "\n", err);
        if (status == TV_OK && s->out.size >= FLUSH_BYTES)
            status = flush(s, err);
    }
    return status == TV_OK ? end_file(s, "movies.csv", err) : status;
}

/* --- ratings -------------------------------------------------------------------------------------------- */

/* How many ratings each user gives: log-normal, at most half of the items, the sum exact. The same random numbers
 * are drawn twice, once for their sum and once for the shares, so that no array of them is kept. What rounding and
 * the limit leave over goes to the first users with room. */
static void share_out(struct synth *s)
{
    double sum = 0, done = 0;
    uint64_t given = 0;
    uint32_t most = s->items > 1 ? s->items / 2 : 1;
    struct tv_random again = s->random;
    for (uint32_t u = 0; u < s->users; u++)
        sum += exp(tv_random_normal(&again));
    for (uint32_t u = 0; u < s->users; u++) {
        done += exp(tv_random_normal(&s->random));
        uint64_t until = (uint64_t)llround((double)s->ratings * (done / sum));
        uint64_t want =
            until > given ? until - given : 0; /* what one may not take goes to those who follow */
        s->counts[u] = want > most ? most : (uint32_t)want;
        given += s->counts[u];
    }
    for (uint32_t u = 0; given < s->ratings; u = (u + 1) % s->users) {
        uint64_t room = most - s->counts[u], left = s->ratings - given, take = left < room ? left : room;
        s->counts[u] += (uint32_t)take;
        given += take;
    }
}

/* The next item of a user: popular ones and those to the user's taste come more often (an item is drawn by
 * popularity and kept with a probability that grows with affinity). Where most of what is drawn is known already,
 * the next unknown item is taken, so that it always ends. */
static uint32_t choose(struct synth *s, const struct tv_synth_user *user, uint32_t mark, float *affinity)
{
    enum { PATIENCE = 200 };
    for (int i = 0; i < PATIENCE; i++) {
        uint32_t item = tv_synth_draw(&s->world, &s->random);
        if (s->marks[item] == mark)
            continue;
        *affinity = tv_synth_affinity(user, &s->world.items[item]);
        if (tv_random_real(&s->random) < 1 / (1 + exp(1.5 - 2 * (double)*affinity)))
            return item;
    }
    uint32_t item = (uint32_t)tv_random_below(&s->random, s->items);
    while (s->marks[item] == mark)
        item = (item + 1) % s->items;
    *affinity = tv_synth_affinity(user, &s->world.items[item]);
    return item;
}

/* A user's ratings, at times that follow one another. The item's mark with this user's number says that it is
 * rated; so marks are never cleared. */
static enum tv_status write_user(struct synth *s, uint32_t u, struct tv_error *err)
{
    static const uint64_t from = 946684800, span = 631152000; /* the years 2000 to 2019 */
    struct tv_synth_user user;
    tv_synth_user_create(&user, &s->world, &s->random);
    uint64_t time = from + tv_random_below(&s->random, span);
    enum tv_status status = TV_OK;
    for (uint32_t k = 0; k < s->counts[u] && status == TV_OK; k++) {
        float affinity;
        uint32_t item = choose(s, &user, u + 1, &affinity);
        int half = tv_synth_rate(&user, &s->world.items[item], affinity, &s->random);
        s->marks[item] = u + 1;
        time += 20 + tv_random_below(&s->random, 3600);
        status = tv_buffer_format(&s->out, err, "%u,%u,%d.%d,%llu\n", u + 1, item + 1, half / 2, half % 2 * 5,
                                  (unsigned long long)time);
        if (status == TV_OK && s->out.size >= FLUSH_BYTES)
            status = flush(s, err);
    }
    return status;
}

static enum tv_status write_ratings(struct synth *s, struct tv_error *err)
{
    uint64_t done = 0;
    enum tv_status status = begin_file(s, "ratings.csv", err);
    if (status == TV_OK)
        status = tv_buffer_text(&s->out, "userId,movieId,rating,timestamp\n", err);
    tv_progress_start(&s->progress, "writing ratings.csv", "ratings", (double)s->ratings);
    for (uint32_t u = 0; u < s->users && status == TV_OK; u++) {
        status = write_user(s, u, err);
        done += s->counts[u];
        tv_progress_update(&s->progress, (double)done);
    }
    tv_progress_end(&s->progress);
    return status == TV_OK ? end_file(s, "ratings.csv", err) : status;
}

/* --- the command ---------------------------------------------------------------------------------------- */

/* Every user rates at most half of the items (share_out), so more ratings than that cannot be given out. */
static enum tv_status check(const struct synth *s, struct tv_error *err)
{
    uint64_t most = (uint64_t)s->users * (s->items > 1 ? s->items / 2 : 1);
    char number[32];
    if (s->ratings <= most)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "--ratings is %llu, but %u users who rate at most half of %u items give %s",
            (unsigned long long)s->ratings, s->users, s->items, tv_text_number(number, (long long)most));
    return tv_hint(err, "raise --users or --items");
}

/* The order of the random numbers is the order of this function, and part of what a seed means. */
static enum tv_status generate(struct synth *s, struct tv_error *err)
{
    s->counts = tv_alloc(s->users, sizeof *s->counts, "users", err);
    s->marks = tv_alloc(s->items, sizeof *s->marks, "items", err);
    if (s->counts == NULL || s->marks == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = tv_synth_world_create(&s->world, s->items, &s->random, err);
    if (status == TV_OK)
        status = prepare_folder(s, err);
    if (status == TV_OK)
        status = write_marker(s, err);
    if (status == TV_OK)
        status = write_items(s, err);
    if (status != TV_OK)
        return status;
    share_out(s);
    return write_ratings(s, err);
}

enum tv_status tv_etl_synth(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct synth s = {.folder = arguments[0],
                      .users = (uint32_t)tv_settings_int(settings, "users"),
                      .items = (uint32_t)tv_settings_int(settings, "items"),
                      .ratings = (uint64_t)tv_settings_int(settings, "ratings"),
                      .seed = (uint64_t)tv_settings_int(settings, "seed"),
                      .out = TV_BUFFER_INIT(4 * FLUSH_BYTES)};
    char a[64], b[64], c[64];
    s.random.state = s.seed;
    enum tv_status status = check(&s, err);
    if (status == TV_OK)
        status = generate(&s, err);
    if (status == TV_OK)
        printf("%s: %s of %s on %s\n", s.folder, tv_text_count(a, (long long)s.ratings, "rating"),
               tv_text_count(b, s.users, "user"), tv_text_count(c, s.items, "invented film"));
    if (s.file)
        fclose(s.file);
    tv_buffer_free(&s.out);
    tv_synth_world_free(&s.world);
    free(s.counts);
    free(s.marks);
    return status;
}
