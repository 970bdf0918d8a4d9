/* transfer: http and https by libcurl. A part is gone on with only if the server vouches that it still has the same file (If-Range), and
 * only if its answer says the same (a server may not know If-Range): else two states of a file would be glued together.
 */
#include "etl/fetch/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "trivet/base/text.h"
#include "trivet/cli/progress.h"
#include "trivet/version.h"

enum { CONNECT_SECONDS = 20, MAX_REDIRECTS = 10, HEAD = 512 };

/* A transfer under way. */
struct under_way {
    const struct tv_transfer *t;
    CURL *curl;
    struct tv_error *err;
    enum tv_status status; /* a failure of our own, which made libcurl stop */
    int begun, changed;    /* the first byte of the file has come; it is of another file than the part */
    int useless;           /* what comes is none of what is wanted */
    int file;              /* descriptor of the part, or -1 */
    double offset, done;   /* bytes that were there, and that are there */
    char head[HEAD + 1];   /* the first bytes of the file */
    size_t n_head;
    char words[CURL_ERROR_SIZE];
    struct tv_progress progress;
};

/* --- what the answer says ------------------------------------------------------------------------------------------ */

static void header(struct under_way *u, const char *name, char *out, size_t size)
{
    struct curl_header *h = NULL;
    int found = curl_easy_header(u->curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK;
    snprintf(out, size, "%s", found ? h->value : "");
}

static long code_of(struct under_way *u)
{
    long code = 0;
    curl_easy_getinfo(u->curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

static double announced(struct under_way *u)
{
    curl_off_t n = -1;
    curl_easy_getinfo(u->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
    return n >= 0 ? (double)n : 0;
}

/* 1 if the answer is the rest of the part: it begins where the part ends, and is of the same state of the file. */
static int goes_on(struct under_way *u)
{
    const struct tv_cached *c = u->t->to;
    char range[128], etag[256], modified[64];
    double from = -1;
    header(u, "Content-Range", range, sizeof range);
    header(u, "ETag", etag, sizeof etag);
    header(u, "Last-Modified", modified, sizeof modified);
    return sscanf(range, "bytes %lf-", &from) == 1 && from == c->part_size && strcmp(etag, c->of_part.etag) == 0 &&
           strcmp(modified, c->of_part.modified) == 0;
}

static enum tv_status too_large(struct under_way *u, double size)
{
    char has[32], may[32];
    u->useless = 1;
    tv_fail(u->err, TV_ERR_INPUT, "%s is larger than a download may be: %s, and %s are allowed", u->t->shown, tv_text_bytes(has, size),
            tv_text_bytes(may, u->t->max_bytes));
    return tv_hint(u->err, "if it is what you want: --max-download %.0f", ceil(size / 1048576));
}

/* Opens the part, for what comes next or from its beginning, and notes which state of the file it is of. */
static enum tv_status begin(struct under_way *u)
{
    struct tv_cached *c = u->t->to;
    int on = code_of(u) == 206;
    u->begun = 1;
    u->changed = on && !goes_on(u);
    if (u->changed)
        return TV_ERR_IO;
    u->offset = u->done = on ? c->part_size : 0;
    if (u->offset + announced(u) > u->t->max_bytes)
        return too_large(u, u->offset + announced(u));
    if (!on) {
        unlink(c->part); /* of another state, which the note below is not of */
        header(u, "ETag", c->of_part.etag, sizeof c->of_part.etag);
        header(u, "Last-Modified", c->of_part.modified, sizeof c->of_part.modified);
        enum tv_status status = tv_cache_note(c, u->err);
        if (status != TV_OK)
            return status;
    }
    u->file = open(c->part, O_WRONLY | O_CREAT | O_CLOEXEC | (on ? O_APPEND : O_TRUNC), 0600);
    u->progress.total = announced(u) > 0 ? u->offset + announced(u) : 0;
    return u->file >= 0 ? TV_OK : tv_fail(u->err, TV_ERR_IO, "cannot write %s: %s", c->part, strerror(errno));
}

/* A login, an error and a page with a button to click are all HTML, with a good answer's code. */
static enum tv_status check_is_no_page(struct under_way *u)
{
    const char *p = u->head + strspn(u->head, "\xef\xbb\xbf \t\r\n");
    if (u->offset > 0 || (strncasecmp(p, "<!doctype html", 14) != 0 && strncasecmp(p, "<html", 5) != 0))
        return TV_OK;
    u->useless = 1;
    tv_fail(u->err, TV_ERR_INPUT, "%s is a web page, not a file with ratings", u->t->shown);
    return tv_hint(u->err, "give the address of the download itself, as the browser has it; what wants a login is downloaded by hand, and "
                           "then given as a file");
}

static enum tv_status write_all(struct under_way *u, const char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t written = write(u->file, bytes + at, n - at);
        if (written < 0 && errno != EINTR) {
            tv_fail(u->err, TV_ERR_IO, "cannot write %s: %s", u->t->to->part, strerror(errno));
            return tv_hint(u->err, "--cache DIR keeps downloads elsewhere");
        }
        at += written > 0 ? (size_t)written : 0;
    }
    return TV_OK;
}

static enum tv_status take(struct under_way *u, const char *bytes, size_t n)
{
    enum tv_status status = u->begun ? TV_OK : begin(u);
    size_t more = n < HEAD - u->n_head ? n : HEAD - u->n_head;
    memcpy(u->head + u->n_head, bytes, more);
    u->n_head += more;
    if (status == TV_OK)
        status = check_is_no_page(u);
    if (status == TV_OK && u->done + (double)n > u->t->max_bytes)
        status = too_large(u, u->done + (double)n);
    if (status == TV_OK)
        status = write_all(u, bytes, n);
    u->done += (double)n;
    tv_progress_update(&u->progress, u->done);
    return status;
}

/* libcurl's. What belongs to an error is passed over. Any other number than that of the bytes ends the transfer. */
static size_t on_bytes(char *bytes, size_t one, size_t n, void *context)
{
    struct under_way *u = context;
    long code = code_of(u);
    if (code != 200 && code != 206)
        return one * n;
    u->status = take(u, bytes, one * n);
    return u->status == TV_OK ? one * n : 0;
}

/* --- failures in words --------------------------------------------------------------------------------------------- */

static enum tv_status fail_by_code(struct under_way *u, long code)
{
    int later = code >= 500 || code == 429 || code == 408;
    tv_fail(u->err, later ? TV_ERR_IO : TV_ERR_INPUT, "%s cannot be downloaded: the server answers %ld", u->t->shown, code);
    if (code == 404 || code == 410)
        return tv_hint(u->err, "there is nothing at this address: is it spelled right, and still where it was?");
    if (code == 401 || code == 403 || code == 407)
        return tv_hint(u->err, "it wants a login: download it by hand, and give the file");
    if (later)
        return tv_hint(u->err, "try again later; what has come so far is kept");
    return tv_hint(u->err, "does a browser get it from this address?");
}

/* The libraries' words follow ours, for what is not in the table. */
static enum tv_status fail_by_library(struct under_way *u, CURLcode code)
{
    static const struct {
        CURLcode code;
        const char *message, *hint;
    } known[] = {
        {CURLE_COULDNT_RESOLVE_HOST, "there is no such host", "is the address spelled right, and this machine on the network? behind a proxy: https_proxy=http://HOST:PORT"},
        {CURLE_COULDNT_RESOLVE_PROXY, "there is no such proxy", "https_proxy and http_proxy name it"},
        {CURLE_COULDNT_CONNECT, "the host cannot be reached", "is the address spelled right, and this machine on the network? behind a proxy: https_proxy=http://HOST:PORT"},
        {CURLE_PEER_FAILED_VERIFICATION, "the host's certificate is not to be trusted", "Debian's package ca-certificates has the authorities; SSL_CERT_FILE=FILE names one of your own"},
        {CURLE_SSL_CACERT_BADFILE, "the file with certificates cannot be read", "CURL_CA_BUNDLE or SSL_CERT_FILE names it"},
        {CURLE_SSL_CONNECT_ERROR, "no safe connection can be made", "is it an https server? else write http://"},
        {CURLE_UNSUPPORTED_PROTOCOL, "it leads to an address that is not fetched", "only http and https are, and from https only https"},
        {CURLE_TOO_MANY_REDIRECTS, "it leads from one address to the next without an end", "give the last address itself"},
        {CURLE_URL_MALFORMAT, "this is no address", "write https://HOST/PATH"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code) {
            tv_fail(u->err, TV_ERR_IO, "%s cannot be downloaded: %s (%s)", u->t->shown, known[i].message, u->words);
            return tv_hint(u->err, "%s", known[i].hint);
        }
    tv_fail(u->err, TV_ERR_IO, "the download of %s ended early: %s", u->t->shown, u->words[0] ? u->words : curl_easy_strerror(code));
    return tv_hint(u->err, "what has come is kept: run this again, and it goes on where it ended");
}

/* A connection that broke, or stood still: what a second try may mend. */
static int is_cut(CURLcode code)
{
    static const CURLcode cut[] = {CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_OPERATION_TIMEDOUT,
                                   CURLE_HTTP2, CURLE_HTTP2_STREAM};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++)
        if (cut[i] == code)
            return 1;
    return 0;
}

/* --- the request --------------------------------------------------------------------------------------------------- */

/* What the server is to know of what we have: the rest of a part is wanted only of the same file, a file that we have only if it is
 * another one by now. A weak ETag (W/"...") does not say that each byte is the same. */
static struct curl_slist *conditions(struct under_way *u, struct curl_slist *list)
{
    const struct tv_cached *c = u->t->to;
    const struct tv_cached_state *part = &c->of_part, *file = &c->of_file;
    const char *same = part->etag[0] && strncmp(part->etag, "W/", 2) != 0 ? part->etag : part->modified;
    char line[400];
    if (c->part_size > 0 && same[0]) {
        snprintf(line, sizeof line, "If-Range: %s", same);
        list = curl_slist_append(list, line);
        snprintf(line, sizeof line, "%.0f-", c->part_size);
        curl_easy_setopt(u->curl, CURLOPT_RANGE, line); /* it keeps a copy; its own way to resume refuses an answer that is whole */
    } else if (c->whole && (file->etag[0] || file->modified[0])) {
        snprintf(line, sizeof line, "%s: %s", file->etag[0] ? "If-None-Match" : "If-Modified-Since",
                 file->etag[0] ? file->etag : file->modified);
        list = curl_slist_append(list, line);
    }
    return list;
}

/* The tool curl reads the first of the two names, OpenSSL the other; libcurl reads none. */
static void set_authorities(CURL *curl)
{
    const char *file = getenv("CURL_CA_BUNDLE");
    if (file == NULL || *file == '\0')
        file = getenv("SSL_CERT_FILE");
    if (file && *file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, file);
}

/* Whoever asks for https is led to no address without it. */
static void set_up(struct under_way *u, struct curl_slist *headers)
{
    const struct tv_transfer *t = u->t;
    int safe = strncasecmp(t->url, "https:", 6) == 0;
    curl_easy_setopt(u->curl, CURLOPT_URL, t->url);
    curl_easy_setopt(u->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(u->curl, CURLOPT_REDIR_PROTOCOLS_STR, safe ? "https" : "http,https");
    curl_easy_setopt(u->curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(u->curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    curl_easy_setopt(u->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(u->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(u->curl, CURLOPT_LOW_SPEED_TIME, (long)t->stall_seconds);
    curl_easy_setopt(u->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(u->curl, CURLOPT_USERAGENT, "trivet/" TRIVET_VERSION);
    curl_easy_setopt(u->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(u->curl, CURLOPT_ERRORBUFFER, u->words);
    curl_easy_setopt(u->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(u->curl, CURLOPT_WRITEDATA, u);
    set_authorities(u->curl);
}

/* An empty file has no first byte, so its part begins here. A part that the server calls longer than the file (416) is of another
 * one. */
static enum tv_status judge(struct under_way *u, CURLcode code, enum tv_transferred *outcome)
{
    long answer = code_of(u);
    *outcome = TV_TRANSFER_CHANGED;
    if (u->changed || answer == 416)
        return TV_OK;
    if (u->status != TV_OK)
        return u->status;
    *outcome = is_cut(code) ? TV_TRANSFER_CUT : answer == 304 ? TV_TRANSFER_UNCHANGED : TV_TRANSFER_WHOLE;
    if (code != CURLE_OK)
        return fail_by_library(u, code);
    if (answer == 304)
        return TV_OK;
    if (answer != 200 && answer != 206)
        return fail_by_code(u, answer);
    return u->begun ? TV_OK : begin(u);
}

enum tv_status tv_transfer(const struct tv_transfer *t, enum tv_transferred *outcome, struct tv_error *err)
{
    struct under_way u = {.t = t, .curl = curl_easy_init(), .err = err, .file = -1};
    if (u.curl == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a download");
    struct curl_slist *headers = conditions(&u, NULL);
    set_up(&u, headers);
    tv_progress_start(&u.progress, "downloading", "bytes", 0);
    CURLcode code = curl_easy_perform(u.curl);
    tv_progress_end(&u.progress);
    enum tv_status status = judge(&u, code, outcome);
    if (u.file >= 0 && close(u.file) != 0 && status == TV_OK)
        status = tv_fail(err, TV_ERR_IO, "cannot write %s: %s", t->to->part, strerror(errno));
    if (u.begun && !u.changed)
        t->to->part_size = u.done;
    if (u.useless)
        tv_cache_drop(t->to);
    curl_slist_free_all(headers);
    curl_easy_cleanup(u.curl);
    return status;
}

const char *tv_transfer_library(void)
{
    static char text[64];
    snprintf(text, sizeof text, "libcurl %s", curl_version_info(CURLVERSION_NOW)->version);
    return text;
}
