/* explore: the commands that show what a filter does before anything is trained. They only read.
 * tv_report_options are those of activity, quality and presets, which take no filter. */
#ifndef TRIVET_ETL_EXPLORE_H
#define TRIVET_ETL_EXPLORE_H

#include "trivet/cli/options.h"

extern const struct tv_option tv_funnel_options[];
extern const struct tv_option tv_sweep_options[];
/* Tables that several of them share, for `more` of struct tv_command. */
extern const struct tv_option *const tv_filter_report_options[];
extern const struct tv_option *const tv_report_options[];

enum tv_status tv_etl_funnel(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_sweep(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_why(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_activity(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_quality(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_presets(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);

#endif
