/* learning: how a command learns from what it reads: the algorithm's settings, as they are written down. Fit,
 * evaluate and search put the same into the journal and onto a command line.
 */
#ifndef TRIVET_TRAIN_COMMAND_LEARNING_H
#define TRIVET_TRAIN_COMMAND_LEARNING_H

#include "train/learn/learn.h"
#include "train/source/reading.h"
#include "trivet/model/journal.h"

/* One command's way to learn; its buffer is freed by tv_learning_free. */
struct tv_learning {
    struct tv_learn_settings settings;
    struct tv_buffer parameters; /* of the algorithm, JSON, as asked for */
    char fingerprint[24];        /* of the data, the rows and the settings; "" where ratings come from files */
};

/* Writes down the settings, which the caller has filled, and the fingerprint; `r` has looked at its rows, or reads files. */
enum tv_status tv_learning_open(struct tv_learning *l, const struct tv_reading *r, struct tv_error *err);
/* Both anew, after the caller has changed settings, or what `r` reads. */
enum tv_status tv_learning_again(struct tv_learning *l, const struct tv_reading *r, struct tv_error *err);
/* A hint to the log, and no refusal, where the settings hardly suit the data: r->data is there. */
void tv_learning_hint_at_counts(const struct tv_learning *l, const struct tv_reading *r);
void tv_learning_free(struct tv_learning *l);

/* The flags that say what is learned from and how. */
enum tv_status tv_learning_flags(const struct tv_learning *l, const struct tv_reading *r, struct tv_buffer *line,
                                 struct tv_error *err);
/* The row of the journal for it; all of it lent. */
struct tv_run_plan tv_learning_plan(const struct tv_learning *l, const struct tv_reading *r, enum tv_run_kind kind,
                                    const char *command);

#endif
