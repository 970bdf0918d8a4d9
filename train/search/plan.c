/* plan: how many trials at a time, and with how many threads each: as many trials as memory and threads allow, and
 * the threads divided among them.
 */
#include "train/search/plan.h"

#include "trivet/base/text.h"

/* Rows as they are gathered, with room to grow, while the matrix is made of them: 30 + 20 bytes. The matrix itself:
 * 8. */
enum { BYTES_A_ROW = 58 };

/* Judging keeps of each user the best 100, their numbers at four cuts, and draws of the bootstrap. */
enum { BYTES_A_USER = 4 * 100 + 4 * 48 + 64 };

/* An upper bound: every row passes the filter, and rows, model and judging are in memory at once. */
double tv_search_trial_memory(const struct tv_learn_settings *learn, const struct tv_csr *training)
{
    struct tv_matrix all = {.csr = *training};
    double items = training->n_cols, users = training->n_rows, columns = learn->factors + 2 * learn->biases;
    double rows = BYTES_A_ROW * (double)training->n_values, model = 6 * items * columns;
    double judging = BYTES_A_USER * users + 16 * items * (learn->threads > 0 ? learn->threads : 1);
    return rows + tv_learn_memory(learn, &all) + model + judging;
}

/* Without --parallel, one trial a thread as far as memory goes; more trials than are open are never planned. */
enum tv_status tv_search_plan(struct tv_search_plan *out, size_t open, int parallel, int threads, double trial_bytes,
                              double bytes, struct tv_error *err)
{
    char one[32], there[32];
    double fit = bytes / trial_bytes;
    int most = fit < threads ? (int)fit : threads;
    *out = (struct tv_search_plan){.trial_bytes = trial_bytes, .bytes = bytes};
    tv_text_bytes(one, trial_bytes);
    tv_text_bytes(there, bytes);
    if (fit < 1) {
        tv_fail(err, TV_ERR_NO_MEMORY, "a trial takes up to %s, but there are only %s", one, there);
        return tv_hint(err, "try fewer --factors or a narrower filter; --memory MB says what trials may take together");
    }
    if (parallel > fit) {
        tv_fail(err, TV_ERR_USAGE, "--parallel is %d, but with up to %s a trial only %d fit into %s", parallel, one, (int)fit,
                there);
        return tv_hint(err, "leave it out; --memory MB says what trials may take together");
    }
    out->parallel = parallel > 0 ? parallel : most;
    if ((size_t)out->parallel > open)
        out->parallel = open > 0 ? (int)open : 1;
    out->threads = threads / out->parallel > 0 ? threads / out->parallel : 1;
    return TV_OK;
}
