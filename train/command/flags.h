/* flags: settings as a command line again: what the journal keeps, so that a run can be repeated. */
#ifndef TRIVET_TRAIN_COMMAND_FLAGS_H
#define TRIVET_TRAIN_COMMAND_FLAGS_H

#include "trivet/base/buffer.h"
#include "trivet/cli/options.h"

/* Bytes of a command line: more than a system hands to a program (2 MiB), each byte a quote that takes four. */
enum { TV_FLAGS_LINE = 1 << 23 };

/* Appends each of `rows` that was given, with its value: " --set 'genres=Film-Noir' --test 0.1". */
enum tv_status tv_flags_given(struct tv_buffer *line, const struct tv_settings *settings, const struct tv_option *rows,
                              struct tv_error *err);

#endif
