/* choices: the flags that say how files are to be read, which load and inspect have in common, so that inspect shows what a
 * load with these flags would read. */
#ifndef TRIVET_ETL_DETECT_CHOICES_H
#define TRIVET_ETL_DETECT_CHOICES_H

#include "etl/detect/detect.h"
#include "trivet/cli/options.h"

extern const struct tv_option tv_choices_options[];

/* The texts are the settings'. */
struct tv_choices tv_choices_of(const struct tv_settings *s);

#endif
