/* flags: settings as a command line again: what the journal keeps, so that a run can be repeated. */
#ifndef TRAIN_FLAGS_H
#define TRAIN_FLAGS_H

#include "trivet/buffer.h"
#include "trivet/options.h"

/* Appends each of `rows` that was given, with its value: " --set 'genres=Film-Noir' --test 0.1". */
void flags_given(struct tv_buffer *line, const struct tv_settings *settings, const struct tv_option *rows);

#endif
