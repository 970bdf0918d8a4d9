/* other_data: are two data sets of one name the same data? A name alone says little, and what is of other data would be served with
 * the titles and ratings of what is here.
 */
#include "trivet/model/other_data.h"

#include "trivet/store/pg_rows.h"

enum tv_status tv_other_data_by_titles(struct tv_pg *pg, const char *name, const char *both, const char *means, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg,
                                        "SELECT t.other, t.shared FROM trivet.load_other_titles($1) t "
                                        "WHERE trivet.is_other_data(t.shared, t.other)",
                                        1, &name, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0)
        status = tv_fail(err, TV_ERR_INPUT,
                         "a data set %s is there already, and %s of the %s items that %s are called otherwise in it: %s", name,
                         tv_pg_cell(rows, 0, 0), tv_pg_cell(rows, 0, 1), both, means);
    tv_pg_rows_free(rows);
    return status;
}
