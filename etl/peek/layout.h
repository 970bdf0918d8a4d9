/* layout: what the fields of a file without a header are. */
#ifndef TRIVET_ETL_PEEK_LAYOUT_H
#define TRIVET_ETL_PEEK_LAYOUT_H

#include "trivet/read/columns.h"

enum { TV_LAYOUT_LINES = 100 }; /* the records that must fit */

/* The layouts that are known. Amazon's ids have a form of their own, and only that tells user from item: its releases have
 * them in either order. */
enum tv_layout {
    TV_LAYOUT_PLAIN = 1,             /* user, item, rating, perhaps time */
    TV_LAYOUT_AMAZON = 2,            /* the same, with Amazon's ids */
    TV_LAYOUT_AMAZON_ITEM_FIRST = 4, /* item, user, rating, time */
};

/* Those of the layouts that fit a record. */
int tv_layout_fitting(int layouts, const struct tv_record *record);

/* Whether a field may be a rating, and is too small to be a time. */
int tv_layout_is_rating(const struct tv_field *f);

/* Fills the columns of records of n fields by the surest of the layouts, which are not none. Returns its words: "user,
 * item, rating, time". */
const char *tv_layout_columns(int layouts, int n, struct tv_columns *columns);

#endif
