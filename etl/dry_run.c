/* dry_run: a sink that counts. Ids that are text get numbers as in a load, because users and items are counted by number. */
#include "etl/dry_run.h"

#include "etl/load/report.h"

/* What was read. */
struct counts {
    struct tv_tally tally;
    struct tv_rejects rejects;
    struct tv_codes *codes;
};

static enum tv_status count_rating(void *context, const struct tv_rating_row *row, struct tv_error *err)
{
    struct counts *c = context;
    tv_tally_add_time(&c->tally, row->time);
    return tv_tally_add(&c->tally, row->user, row->item, row->value, err);
}

static enum tv_status pass_item(void *context, const struct tv_item_row *row, struct tv_error *err)
{
    (void)context;
    (void)row;
    (void)err;
    return TV_OK;
}

static enum tv_status count_tag(void *context, const struct tv_tag_row *row, struct tv_error *err)
{
    struct counts *c = context;
    (void)err;
    tv_tally_add_tag_time(&c->tally, row->time);
    return TV_OK;
}

static enum tv_status number_code(void *context, enum tv_code_kind kind, const char *text, size_t n, int64_t *id,
                                  struct tv_error *err)
{
    struct counts *c = context;
    return tv_codes_number(c->codes, kind, text, n, id, err);
}

static enum tv_status count_reject(void *context, const char *file, const struct tv_record *record, const struct tv_error *why,
                                   struct tv_error *err)
{
    struct counts *c = context;
    return tv_rejects_add(&c->rejects, file, record, why, err);
}

static enum tv_status pass_progress(void *context, double bytes, struct tv_error *err)
{
    (void)context;
    (void)bytes;
    (void)err;
    return TV_OK;
}

enum tv_status tv_dry_run(struct tv_set *set, long long max_rejects, FILE *out, struct tv_error *err)
{
    struct counts c = {.codes = NULL};
    const struct tv_sink sink = {.context = &c, .rating = count_rating, .item = pass_item, .tag = count_tag,
                                 .code = number_code, .reject = count_reject, .progress = pass_progress};
    tv_rejects_init(&c.rejects, NULL, 0, max_rejects);
    enum tv_status status = tv_codes_create(&c.codes, err);
    for (int role = 0; role < TV_ROLE_COUNT && status == TV_OK; role++)
        status = tv_set_read(set, (enum tv_role)role, &sink, err);
    if (status == TV_OK)
        status = tv_rejects_check_rows(&c.rejects, c.tally.rows, set->chosen[TV_ROLE_RATINGS].file->name, err);
    const struct tv_report report = {.set = set, .tally = &c.tally, .rejects = &c.rejects, .codes = c.codes, .titles = -1};
    if (status == TV_OK)
        tv_report_print_read(&report, out);
    tv_rejects_free(&c.rejects);
    tv_tally_free(&c.tally);
    tv_codes_free(c.codes);
    return status;
}
