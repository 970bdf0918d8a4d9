/* minhash_tool: signatures and the index of similar items without Postgres, for tests and benches.
 *
 *   minhash_tool sketch SIZE < SETS            a set a line, its elements apart by blanks: the signature of each
 *   minhash_tool build REDIS SIZE THREADS < PAIRS  "user item" a line: an index with the next number goes live
 *   minhash_tool time SIZE THREADS < PAIRS     pairs of two 64-bit integers: the seconds that their signatures take
 *   minhash_tool ask REDIS TOP < ITEMS         an item a line: its neighbours as item:shared, and microseconds
 *   minhash_tool add REDIS < PAIRS             "user item" a line: adds the user; values changed, and microseconds
 *   minhash_tool verify REDIS                  all pages against all signatures
 *   minhash_tool dump REDIS                    item and signature of every row
 *
 * REDIS is redis://host:port/db. Times are printed as "name seconds" lines on standard error.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/clock.h"
#include "trivet/similar/build.h"

enum { TIMEOUT_MS = 30000 };

static enum tv_status sketch(char **arguments, struct tv_error *err)
{
    struct tv_minhash *m = NULL;
    static uint32_t values[TV_MINHASH_MAX];
    char *line = NULL, *rest;
    size_t room = 0;
    int size = atoi(arguments[0]);
    enum tv_status status = tv_minhash_create(&m, size, err);
    while (status == TV_OK && getline(&line, &room, stdin) > 0) {
        tv_minhash_clear(m, values);
        for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
            tv_minhash_update(m, values, tv_minhash_hash(word, strlen(word)));
        for (int j = 0; j < size; j++)
            printf("%u%c", values[j], j + 1 < size ? ' ' : '\n');
    }
    free(line);
    tv_minhash_free(m);
    return status;
}

static enum tv_status ignore_progress(void *context, int64_t pages, int64_t of, struct tv_error *err)
{
    (void)context, (void)pages, (void)of, (void)err;
    return TV_OK;
}

/* All pairs of standard input: reading them is not what is timed. */
static int64_t *read_pairs(size_t *n)
{
    size_t room = 1 << 16;
    int64_t *pairs = malloc(2 * room * sizeof *pairs);
    for (*n = 0; pairs && scanf("%" SCNd64 " %" SCNd64, &pairs[2 * *n], &pairs[2 * *n + 1]) == 2; ++*n)
        if (*n + 1 == room)
            pairs = realloc(pairs, 2 * (room *= 2) * sizeof *pairs);
    return pairs;
}

/* Pairs as bytes: reading 17 million as text would take longer than what is timed. */
static enum tv_status time_signatures(char **arguments, struct tv_error *err)
{
    enum { AT_ONCE = 4096 };
    static int64_t pairs[2 * AT_ONCE];
    struct tv_minhash_sets sets = {0};
    double seconds = 0;
    size_t n;
    enum tv_status status = tv_minhash_sets_create(&sets, atoi(arguments[0]), atoi(arguments[1]), err);
    while (status == TV_OK && (n = fread(pairs, 2 * sizeof *pairs, AT_ONCE, stdin)) > 0) {
        double started = tv_clock();
        for (size_t i = 0; i < n && status == TV_OK; i++)
            status = tv_minhash_sets_add(&sets, pairs[2 * i], pairs[2 * i + 1], err);
        seconds += tv_clock() - started;
    }
    double started = tv_clock();
    tv_minhash_sets_finish(&sets);
    printf("seconds %.6f\n", seconds + tv_clock() - started);
    tv_minhash_sets_free(&sets);
    return status;
}

/* Takes the number after the live index, and drops every other index in the end. */
static enum tv_status build(char **arguments, struct tv_error *err)
{
    struct tv_redis *redis = NULL;
    struct tv_minhash_sets sets = {0};
    int64_t version = 0;
    size_t n;
    int64_t *pairs = read_pairs(&n);
    enum tv_status status = pairs ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory");
    double started = tv_clock();
    if (status == TV_OK)
        status = tv_minhash_sets_create(&sets, atoi(arguments[1]), atoi(arguments[2]), err);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = tv_minhash_sets_add(&sets, pairs[2 * i], pairs[2 * i + 1], err);
    if (status == TV_OK) {
        tv_minhash_sets_finish(&sets);
        fprintf(stderr, "signatures %.6f\n", tv_clock() - started);
        status = tv_redis_open(&redis, arguments[0], TIMEOUT_MS, 0, err);
    }
    if (status == TV_OK)
        status = tv_similar_live(redis, &version, err);
    started = tv_clock();
    if (status == TV_OK)
        status = tv_similar_write(redis, &(struct tv_similar_name){.version = ++version}, &sets, ignore_progress, NULL, err);
    if (status == TV_OK)
        status = tv_similar_switch(redis, version, err);
    fprintf(stderr, "index %.6f\n", tv_clock() - started);
    if (status == TV_OK)
        status = tv_similar_drop_others(redis, &version, 1, err);
    printf("items %d\n", (int)sets.items.n);
    free(pairs);
    tv_minhash_sets_free(&sets);
    tv_redis_close(redis);
    return status;
}

static enum tv_status ask(char **arguments, struct tv_error *err)
{
    struct tv_similar *s = NULL;
    int64_t item;
    int known;
    enum tv_status status = tv_similar_open(&s, arguments[0], TIMEOUT_MS, err);
    while (status == TV_OK && scanf("%" SCNd64, &item) == 1) {
        struct tv_similar_answer answer;
        double started = tv_clock();
        status = tv_similar_ask(s, item, (size_t)atol(arguments[1]), &answer, &known, err);
        double took = tv_clock() - started;
        printf("%" PRId64 " %.1f", item, 1e6 * took);
        for (size_t i = 0; i < answer.n; i++)
            printf(" %" PRId64 ":%d", answer.items[i].item, answer.items[i].shared);
        putchar('\n');
        tv_similar_answer_free(&answer);
        if (status == TV_ERR_NOT_FOUND && known == 0)
            status = TV_OK;
    }
    tv_similar_close(s);
    return status;
}

/* The time includes the hash of the user, which the server computes as well. */
static enum tv_status add(char **arguments, struct tv_error *err)
{
    struct tv_similar *s = NULL;
    int64_t user, item;
    enum tv_status status = tv_similar_open(&s, arguments[0], TIMEOUT_MS, err);
    while (status == TV_OK && scanf("%" SCNd64 " %" SCNd64, &user, &item) == 2) {
        int changed;
        double started = tv_clock();
        uint32_t hash = tv_minhash_hash_id(user);
        status = tv_similar_add(s, item, &hash, 1, &changed, err);
        printf("%d %.1f\n", changed, 1e6 * (tv_clock() - started));
    }
    tv_similar_close(s);
    return status;
}

static enum tv_status verify(char **arguments, struct tv_error *err)
{
    struct tv_similar *s = NULL;
    enum tv_status status = tv_similar_open(&s, arguments[0], TIMEOUT_MS, err);
    if (status == TV_OK)
        status = tv_similar_verify(s, err);
    tv_similar_close(s);
    return status;
}

static enum tv_status print_row(void *context, int64_t item, const uint32_t *values, struct tv_error *err)
{
    (void)err;
    printf("%" PRId64, item);
    for (int j = 0; j < tv_similar_size(context); j++)
        printf(" %u", values[j]);
    putchar('\n');
    return TV_OK;
}

static enum tv_status dump(char **arguments, struct tv_error *err)
{
    struct tv_similar *s = NULL;
    enum tv_status status = tv_similar_open(&s, arguments[0], TIMEOUT_MS, err);
    if (status == TV_OK)
        status = tv_similar_each(s, print_row, s, err);
    tv_similar_close(s);
    return status;
}

static const struct {
    const char *name;
    int arguments;
    enum tv_status (*run)(char **arguments, struct tv_error *err);
} commands[] = {{"sketch", 1, sketch}, {"time", 2, time_signatures}, {"build", 3, build}, {"ask", 2, ask},
                {"add", 1, add},       {"verify", 1, verify},        {"dump", 1, dump}};

int main(int argc, char **argv)
{
    struct tv_error err = {0};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0 && argc == 2 + commands[i].arguments) {
            enum tv_status status = commands[i].run(argv + 2, &err);
            if (status != TV_OK)
                fprintf(stderr, "minhash_tool: %s\n", err.message);
            return tv_exit_code(status);
        }
    fprintf(stderr, "usage: minhash_tool sketch|time|build|ask|add|verify|dump ...\n");
    return 2;
}
