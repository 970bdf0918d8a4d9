/* title: items' titles as people say them, for readers of files whose titles are sorted by their first noun. */
#ifndef TRIVET_ETL_FORMATS_TITLE_H
#define TRIVET_ETL_FORMATS_TITLE_H

#include <stddef.h>

#include "trivet/base/buffer.h"

/* Appends the title with its articles moved to the front and blanks at both ends removed:
 *   Godfather: Part II, The (1974)                         -> The Godfather: Part II (1974)
 *   City of Lost Children, The (Cité des enfants perdus, La) (1995)
 *                                     -> The City of Lost Children (La Cité des enfants perdus) (1995)
 *   Seven (a.k.a. Se7en) (1995)                            -> the same */
enum tv_status tv_title_tidy(struct tv_buffer *out, const char *text, size_t n, struct tv_error *err);

/* `listed`, as the file has the title, if it is another than `title`, which was made of it; else NULL. */
const char *tv_title_listed(const char *listed, const char *title);

/* The year at the end, "(1974)" or the first of "(1974-1975)" and "(1974-)"; 0 where there is none. */
int tv_title_year(const char *text, size_t n);

#endif
