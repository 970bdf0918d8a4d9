/* models: the commands models, activate, rollback and repair. */
#ifndef TRIVET_TRAIN_MODELS_MODELS_H
#define TRIVET_TRAIN_MODELS_MODELS_H

#include "trivet/cli/options.h"

enum tv_status tv_models_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);
enum tv_status tv_activate_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);
enum tv_status tv_rollback_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);
enum tv_status tv_repair_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
