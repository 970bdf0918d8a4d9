/* show_text: how the numbers of a model are written, and what its columns are called. */
#include <stdio.h>

#include "train/models/show.h"

/* 17 digits give a double back exactly; 8 decimals are enough to check a product by hand. */
enum tv_status tv_show_number(struct tv_table *table, enum tv_table_format format, double value, struct tv_error *err)
{
    char text[40];
    int for_people = format == TV_TABLE_PLAIN || format == TV_TABLE_MARKDOWN;
    snprintf(text, sizeof text, for_people ? "%.8f" : "%.17g", value);
    return tv_table_cell(table, text, err);
}

/* Biases are the last two columns: one is 1 on the user's side, the other on the item's (fold_in.h). */
const char *tv_show_factor_name(const struct tv_model *model, int factor, char *space)
{
    int from_end = model->factors - factor;
    if (model->biases && from_end <= 2)
        return from_end == 2 ? "item bias" : "user bias";
    snprintf(space, TV_SHOW_FACTOR_NAME, "%d", factor + 1);
    return space;
}
