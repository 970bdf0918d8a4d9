/* flags: the flags that were given, as a command line again. The journal keeps it with each run, and a person who
 * pastes it into a shell repeats that run. */
#ifndef TRIVET_TRAIN_COMMAND_FLAGS_H
#define TRIVET_TRAIN_COMMAND_FLAGS_H

#include "trivet/base/buffer.h"
#include "trivet/cli/options.h"

/* Bytes of a command line: more than a system hands to a program (2 MiB), each byte a quote that takes four. */
enum { TV_FLAGS_LINE = 1 << 23 };

/* Appends each flag of `rows` that was given, with its value: " --set 'genres=Film-Noir' --test 0.1". */
enum tv_status tv_flags_given(struct tv_buffer *line, const struct tv_settings *settings, const struct tv_option *rows,
                              struct tv_error *err);

#endif
