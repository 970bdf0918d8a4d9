/* problem: why a request was not answered as asked. Sent as application/problem+json (RFC 9457), to browsers
 * as a page with the form filled in (serve/html/problem_page.h).
 */
#ifndef TRIVET_SERVE_WEB_PROBLEM_H
#define TRIVET_SERVE_WEB_PROBLEM_H

#include "serve/web/out.h"

/* A problem is filled by any part of the server that finds one, and written by tv_problem_answer alone. All zero:
 * none. Texts are cut at the end of a character. */
struct tv_problem {
    int status;         /* HTTP; 0: no problem */
    char parameter[61]; /* the parameter that is wrong, or ""; of a name that somebody sent, its beginning */
    char detail[1024];
    char hint[512];  /* what to try next, or "" */
    int retry_after; /* seconds, or 0 */
    int entry;       /* the place in the list that was sent, from 1, of the entry that is wrong; 0: none */
    int has_scale;    /* 1: ratings lie between ... */
    float low, high;
    char allow[32]; /* with 405: the methods of this address, "GET, HEAD, POST" */
};

/* Fills *problem; the hint, the parameter and retry_after are emptied. */
void tv_problem(struct tv_problem *problem, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same about a parameter; returns 0, as a reader of parameters does that has a problem. */
int tv_problem_at(struct tv_problem *problem, int status, const char *parameter, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds what to try next to a problem made before. */
void tv_problem_hint(struct tv_problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The words of a status, "Bad Request". */
const char *tv_status_words(int status);
/* As RFC 9457 has it. */
void tv_problem_json(struct tv_out *out, const struct tv_problem *problem);

#endif
