/* import: a model that came as a folder takes its place among the others, under a new run number. Here is what the
 * files of import share.
 */
#ifndef TRIVET_TRAIN_TRAVEL_IMPORT_H
#define TRIVET_TRAIN_TRAVEL_IMPORT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "train/command/stores.h"
#include "train/travel/folder.h"
#include "trivet/base/buffer.h"
#include "trivet/cli/options.h"
#include "trivet/store/pg.h"

/* Bytes that the sample of pairs may have, which has some two thousand. */
enum { TV_IMPORT_PAIRS = 1 << 20 };

/* A user's code; owned by its list. */
struct tv_import_code {
    int64_t id;
    char *code;
};

/* The codes of all users of the folder that have one. */
struct tv_import_codes {
    struct tv_import_code *users; /* (n) ascending by id */
    size_t n, capacity;
};

/* One import, on the stack of tv_import_run, which frees everything in it. */
struct tv_import {
    const struct tv_settings *settings; /* lent */
    const char *dir;
    char *from;          /* the same, absolute, because the journal outlives the working directory of the command */
    char given_name[256]; /* --name, trimmed */
    const char *dataset; /* the name of its data set; lent */
    struct tv_model *model; /* of the folder; its run number is the new one once the journal gave it */
    json_t *run;            /* what the other journal said */
    struct tv_stores stores;
    int64_t run_number;           /* the new one; 0 until the journal gave it */
    int64_t items;                /* documents written */
    uint64_t users_hash;          /* of all user documents as written */
    struct tv_import_codes codes; /* of the folder's users */
    struct tv_buffer pairs;       /* JSON: a sample of what its users rated */
};

/* The folder is read twice, by the same functions: once to check all of it, before anything is written, and once to
 * write. */

/* import_model.c: the item side and the description. */
enum tv_status tv_import_read_model(struct tv_import *im, struct tv_error *err);
/* How a file's lines become rows: `take` checks a line, counted from 1, and appends its JSON value to the array that `out` gathers;
 * `insert` takes an array as its one parameter. At most `most` bytes are gathered, so no line may be longer. */
struct tv_import_lines {
    const char *insert;
    size_t most;
    enum tv_status (*take)(void *context, const char *line, long long number, struct tv_buffer *out, struct tv_error *err);
    void *context;
};
/* import_lines.c: all lines of an open file, inside the caller's transaction. */
enum tv_status tv_import_send_lines(const struct tv_import_lines *lines, FILE *in, struct tv_pg *pg, struct tv_error *err);
/* import_titles.c: the folder's titles into the connection that holds the lock, for the other two. */
enum tv_status tv_import_read_titles(const struct tv_import *im, struct tv_error *err);
/* TV_ERR_INPUT where the data set of that name has other titles, and so is other data; or where titles say nothing, and what the model's
 * users rated is not rated there. */
enum tv_status tv_import_check_data(const struct tv_import *im, struct tv_error *err);
/* What comes later under that name is compared with them, too. */
enum tv_status tv_import_keep_titles(const struct tv_import *im, struct tv_error *err);
/* import_codes.c: the folder's codes into this trivet's dictionary, and those of users into memory. */
enum tv_status tv_import_read_codes(struct tv_import *im, struct tv_error *err);
/* The code of a user, lent from the list; NULL: the user has none, the id is a number. */
const char *tv_import_user_code(const struct tv_import *im, int64_t id);
void tv_import_free_codes(struct tv_import *im);
/* import_items.c: item documents into catalogue_<D>_<N>. */
enum tv_status tv_import_check_items(struct tv_import *im, struct tv_error *err);
enum tv_status tv_import_items(struct tv_import *im, struct tv_error *err);
/* import_users.c: everybody's documents into user_<N>. The first gathers im->pairs. */
enum tv_status tv_import_check_users(struct tv_import *im, struct tv_error *err);
enum tv_status tv_import_users(struct tv_import *im, struct tv_error *err);

extern const struct tv_option tv_import_options[];
enum tv_status tv_import_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
