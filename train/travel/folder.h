/* folder: a model as a folder of files, for notebooks and for another trivet. docs/formats.md has the files.
 *
 * A folder is written beside its place under another name and takes its own in one step, so that it is whole or not
 * there. checksums.csv lists every file with its size and hash: what is not listed there does not belong to it.
 */
#ifndef TRIVET_TRAIN_TRAVEL_FOLDER_H
#define TRIVET_TRAIN_TRAVEL_FOLDER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "trivet/base/status.h"
#include "trivet/core/ratings.h"

#define TV_FOLDER_MODEL           "model.json"
#define TV_FOLDER_ITEM_IDS        "item_ids.npy"
#define TV_FOLDER_ITEM_FACTORS    "item_factors.npy"
#define TV_FOLDER_SINGULAR_VALUES "singular_values.npy"
#define TV_FOLDER_ITEMS_CSV       "items.csv"
#define TV_FOLDER_ITEMS           "items.jsonl"
#define TV_FOLDER_USER_IDS        "user_ids.npy"
#define TV_FOLDER_USER_ROWS       "user_rows.npy"
#define TV_FOLDER_USER_FACTORS    "user_factors.npy"
#define TV_FOLDER_CODES           "codes.jsonl"
#define TV_FOLDER_USERS_CSV       "users.csv"
#define TV_FOLDER_RATED_START     "rated_start.npy"
#define TV_FOLDER_RATED_ITEMS     "rated_items.npy"
#define TV_FOLDER_RATINGS         "ratings.npy"

enum { TV_FOLDER_VERSION = 1, TV_FOLDER_PATH = 4096 };

/* dir/name in `out`, which holds TV_FOLDER_PATH bytes and is returned. */
char *tv_folder_file(char *out, const char *dir, const char *name);

/* --- writing ------------------------------------------------------------------------------------------------ */

/* A folder that is being written. Begin with held = -1, so that tv_folder_discard has nothing to do before
 * tv_folder_create. */
struct tv_folder {
    char place[TV_FOLDER_PATH];   /* where it goes: as given, without slashes at the end */
    char partial[TV_FOLDER_PATH]; /* where it is written: place.partial */
    int replace;                  /* an earlier export stands at its place */
    int held;                     /* descriptor of `partial`, which is locked while this process writes into it; -1 */
};

/* Makes the partial folder, empty; what a killed export left there goes away. A place that holds anything is refused
 * unless `force`, and then, too, when it holds what is no export. After a failure there is nothing to discard. */
enum tv_status tv_folder_create(struct tv_folder *f, const char *dir, int force, struct tv_error *err);
/* Opens a file of the partial folder for writing text. */
enum tv_status tv_folder_open_text(FILE **out, const struct tv_folder *f, const char *name, struct tv_error *err);
/* Closes it, once the disk has it; TV_ERR_IO if any write failed. NULL is fine. */
enum tv_status tv_folder_close_text(FILE *file, const char *name, struct tv_error *err);
/* Writes checksums.csv and puts the folder in its place: everything is on the disk before it gets its name. *files
 * and *bytes are for the report. */
enum tv_status tv_folder_publish(struct tv_folder *f, int *files, double *bytes, struct tv_error *err);
void tv_folder_discard(struct tv_folder *f); /* deletes what is not published; safe to call twice */

/* --- reading ------------------------------------------------------------------------------------------------ */

/* Every file is there, as it was written, and none is missing. TV_ERR_INPUT names the file that is not. */
enum tv_status tv_folder_check(const char *dir, struct tv_error *err);

/* --- both --------------------------------------------------------------------------------------------------- */

/* The dense indices of those of n rated items that the model holds, into `seen` (n); returns how many. */
size_t tv_folder_seen(const struct tv_dense_map *items, const int64_t *rated, size_t n, int32_t *seen);

#endif
