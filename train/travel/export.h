/* export: a model leaves as a folder. Here is what the files of export share; docs/formats.md has the folder's
 * files.
 */
#ifndef TRIVET_TRAIN_TRAVEL_EXPORT_H
#define TRIVET_TRAIN_TRAVEL_EXPORT_H

#include "train/command/stores.h"
#include "train/source/names.h"
#include "train/travel/folder.h"
#include "trivet/cli/options.h"
#include "trivet/core/formats/npy.h"

/* One export, on the stack of tv_export_run, which frees everything in it. */
struct tv_export {
    struct tv_folder folder;
    struct tv_stores stores; /* without the lock */
    struct tv_model *model;
    struct tv_dense_map items; /* of the model's item ids */
    struct tv_names names;     /* whether there are codes */
    FILE *codes;               /* codes.jsonl; NULL until there is a code */
    int64_t n_users;           /* that were written: the model's, and those who came since */
};

/* One line for a user or item that has a code; the first makes the file. */
enum tv_status tv_export_code(struct tv_export *e, const char *kind, int64_t id, const char *code,
                              struct tv_error *err);
/* Closes codes.jsonl if it was begun; safe to call twice. */
enum tv_status tv_export_close_codes(struct tv_export *e, struct tv_error *err);
/* Writes items.jsonl and items.csv. */
enum tv_status tv_export_items(struct tv_export *e, struct tv_error *err);
/* Writes the six arrays of users and users.csv, and counts e->n_users. */
enum tv_status tv_export_users(struct tv_export *e, struct tv_error *err);

extern const struct tv_option tv_export_options[];
enum tv_status tv_export_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
