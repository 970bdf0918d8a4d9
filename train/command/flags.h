/* flags: settings as a command line again: what the journal keeps, so that a run can be repeated. */
#ifndef TRIVET_TRAIN_COMMAND_FLAGS_H
#define TRIVET_TRAIN_COMMAND_FLAGS_H

#include "trivet/base/buffer.h"
#include "trivet/cli/options.h"

/* Appends each of `rows` that was given, with its value: " --set 'genres=Film-Noir' --test 0.1". */
void flags_given(struct tv_buffer *line, const struct tv_settings *settings, const struct tv_option *rows);

#endif
