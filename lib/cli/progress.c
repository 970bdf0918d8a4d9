/* progress: how far long work is, with rate and ETA. Work that may take minutes calls it as it goes; the clock decides
 * whether there is anything to print. */
#include "trivet/cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

void tv_progress_start(struct tv_progress *p, const char *what, const char *unit, double total)
{
    *p = (struct tv_progress){.what = what, .unit = unit, .total = total, .terminal = isatty(STDERR_FILENO)};
    p->started = p->shown = tv_clock();
}

/* "\r\033[K" goes to the line's begin and empties it, so a shorter line leaves nothing of the longer one before. */
static void show(struct tv_progress *p, double done, double now)
{
    char count[32], rate[32], eta[48] = "";
    double per_second = done / (now - p->started);
    if (p->total > 0 && done > 0)
        snprintf(eta, sizeof eta, "  %3.0f %%  ETA %.0f s", 100 * done / p->total, (p->total - done) / per_second);
    tv_text_number(count, (long long)done);
    if (per_second < 10)
        snprintf(rate, sizeof rate, "%.1f", per_second);
    else
        tv_text_number(rate, (long long)per_second);
    if (p->terminal) {
        fprintf(stderr, "\r\033[K%s  %s %s  %s/s%s", p->what, count, p->unit, rate, eta);
        fflush(stderr);
    } else {
        tv_log_info("%s  %s %s  %s/s%s", p->what, count, p->unit, rate, eta);
    }
    p->printed = 1;
    p->shown = now;
}

void tv_progress_update(struct tv_progress *p, double done)
{
    double now = tv_clock();
    /* On a terminal the first line waits for a second, so that short work shows none, and later ones for a tenth. */
    double pause = p->terminal ? (p->printed ? 0.1 : 1.0) : 10.0;
    if (now - p->shown >= pause && tv_log_enabled(TV_LOG_INFO))
        show(p, done, now);
}

/* Leaves no half line behind, for what is printed next. */
void tv_progress_end(struct tv_progress *p)
{
    if (p->terminal && p->printed)
        fputs("\r\033[K", stderr);
    p->printed = 0;
}
