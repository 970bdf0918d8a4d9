/* status: the result of a call that can fail, and the words that go with it.
 *
 * Every such call returns an `enum tv_status` and takes a `struct tv_error *` last. On success the error is
 * untouched; on failure it holds a message that names the values that disagree, and a hint that says what to
 * try next (possibly empty). `err` may be NULL when the caller wants the status alone.
 *
 * The compiler refuses a call whose status nobody looks at, of whatever function, ours or static or through a pointer;
 * where a failure may be passed over, tv_ignore says why.
 */
#ifndef TRIVET_BASE_STATUS_H
#define TRIVET_BASE_STATUS_H

/* Before a prototype, or a type that functions return: what comes back may not be dropped. GCC takes the attribute of
 * C23 on a type, clang its own. */
#ifdef __clang__
#define TV_MUST_USE __attribute__((warn_unused_result))
#else
#define TV_MUST_USE [[nodiscard]]
#endif

enum TV_MUST_USE tv_status {
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
    TV_ERR_RECORD,      /* a record or a field of it cannot be taken; what comes after it can */
    TV_ERR_WORSE        /* a guard kept what was made from taking the place of something better */
};

/* For a failure that may be passed over; `why` is for who reads the call. */
static inline void tv_ignore(enum tv_status status, const char *why)
{
    (void)status;
    (void)why;
}

/* The store that a failure came from: its adapter (lib/store) says so where the error is made. */
enum tv_origin { TV_FROM_NO_STORE = 0, TV_FROM_POSTGRES, TV_FROM_MONGO, TV_FROM_REDIS };

/* A failure in words. It lives where the caller wants it, mostly on the stack, owns no memory, and is copied by
 * assignment; texts are cut rather than allocated, so that lack of memory can be told as well. */
struct tv_error {
    enum tv_status status;
    enum tv_origin origin;
    char parameter[64]; /* what a caller gave that is wrong, by its name ("genres"), or "" */
    char message[1024]; /* names no address of a store, so it may be shown to anybody, as the hint may */
    char hint[512];
    char where[768];    /* for the log and the terminal alone: a store's address, what its client library says; or "" */
};

/* Fills `err` (which may be NULL) and returns `status`, so that a caller writes `return tv_fail(err, ...)`.
 * Here and in the five below it comes back as the number that it is (compilers hold the enum in an unsigned), because
 * the caller knows it and may drop it. All else is emptied. A text that does not fit is cut at the end of a character,
 * here and below. */
unsigned tv_fail(struct tv_error *err, enum tv_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a hint to an error made before and returns its status; with `err` NULL the status of the thread's last
 * tv_fail, so that it may follow one as `return tv_hint(err, ...)` whether anybody wants the words or not. */
unsigned tv_hint(struct tv_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to an error made before where it happened, and returns as tv_hint does. */
unsigned tv_where(struct tv_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to an error made before the store it came from, and returns as tv_hint does. */
unsigned tv_from(struct tv_error *err, enum tv_origin origin);

/* Adds to an error made before the parameter that it is about (NULL: none), and returns as tv_hint does. */
unsigned tv_about(struct tv_error *err, const char *parameter);

/* Puts "context: " before the message and returns the error's status; `err` may be NULL as in tv_hint. */
unsigned tv_context(struct tv_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit code of a program that ends with `status`: 0 ok, 2 usage, 3 input, 4 store, 5 busy, 6 worse, 1 the
 * rest. */
int tv_exit_code(enum tv_status status);

#endif
