/* status: the result of a call that can fail, and the words that go with it.
 *
 * Every such call returns an `enum tv_status` and takes a `struct tv_error *` last. On success the error is
 * untouched; on failure it holds a message that names the values that disagree, and a hint that says what to
 * try next (possibly empty). `err` may be NULL when the caller wants the status alone.
 */
#ifndef TRIVET_BASE_STATUS_H
#define TRIVET_BASE_STATUS_H

enum tv_status {
    TV_OK = 0,
    TV_ERR_USAGE,       /* the command line or a setting is wrong */
    TV_ERR_INPUT,       /* the data given cannot be used */
    TV_ERR_NO_MEMORY,   /* an allocation failed, or would pass a stated limit */
    TV_ERR_IO,          /* a file could not be read or written */
    TV_ERR_UNAVAILABLE, /* a store does not answer */
    TV_ERR_STORE,       /* a store answered with an error */
    TV_ERR_BUSY,        /* another process holds the lock */
    TV_ERR_NOT_FOUND,   /* the thing asked for does not exist */
    TV_ERR_CORRUPT,     /* stored bytes fail their own checks */
    TV_ERR_NUMERIC,     /* the numbers do not allow it: rank too low, overflow, no convergence */
    TV_ERR_INTERRUPTED, /* a signal asked to stop */
    TV_ERR_WORSE        /* a guard kept what was made from taking the place of something better */
};

/* A failure in words. It lives where the caller wants it, mostly on the stack, owns no memory, and is copied by
 * assignment; texts are cut rather than allocated, so that lack of memory can be told as well. */
struct tv_error {
    enum tv_status status;
    char message[1024]; /* names no address of a store, so it may be shown to anybody, as the hint may */
    char hint[512];
    char where[768];    /* for the log and the terminal alone: a store's address, what its client library says; or "" */
};

/* Fills `err` (which may be NULL) and returns `status`, so that a caller writes `return tv_fail(err, ...)`.
 * Hint and where are emptied. A text that does not fit is cut at the end of a character, here and below. */
enum tv_status tv_fail(struct tv_error *err, enum tv_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a hint to an error made before and returns its status; with `err` NULL the status of the thread's last
 * tv_fail, so that it may follow one as `return tv_hint(err, ...)` whether anybody wants the words or not. */
enum tv_status tv_hint(struct tv_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to an error made before where it happened, and returns as tv_hint does. */
enum tv_status tv_where(struct tv_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message and returns the error's status; `err` may be NULL as in tv_hint. */
enum tv_status tv_context(struct tv_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit code of a program that ends with `status`: 0 ok, 2 usage, 3 input, 4 store, 5 busy, 6 worse, 1 the
 * rest. */
int tv_exit_code(enum tv_status status);

#endif
