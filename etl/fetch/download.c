/* download: fetches a file until it is whole. A transfer that breaks off is gone on with, as long as each try brings something; a
 * process that ends in the middle leaves the part to the next one.
 */
#include "etl/fetch/download.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "etl/fetch/transfer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

const struct tv_option tv_fetch_options[] = {
    {.name = "sha256", .kind = TV_OPTION_TEXT, .value = "HEX", .help = "the SHA-256 that the file must have"},
    {.name = "cache",
     .kind = TV_OPTION_TEXT,
     .value = "DIR",
     .help = "where downloads are kept; without it, $XDG_CACHE_HOME/trivet or ~/.cache/trivet"},
    {.name = "max-download",
     .kind = TV_OPTION_INT,
     .value = "MB",
     .default_text = "10000",
     .min = 1,
     .max = 1e9,
     .help = "no download is larger than so many megabytes"},
    {.name = "stall-timeout",
     .kind = TV_OPTION_INT,
     .value = "SECONDS",
     .default_text = "60",
     .min = 1,
     .max = 86400,
     .help = "give a download up when nothing comes for so long"},
    {.name = NULL},
};

static const double MEGABYTE = 1024 * 1024; /* as tv_text_bytes counts */

int tv_fetch_is_address(const char *text)
{
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

void tv_fetch_shown(const char *text, char *out, size_t size)
{
    if (!tv_fetch_is_address(text)) {
        tv_text_printable(out, size, text);
        return;
    }
    const char *host = strstr(text, "://") + 3;
    size_t authority = strcspn(host, "/?#");
    for (size_t i = authority; i > 0; i--)
        if (host[i - 1] == '@') {
            host += i;
            break;
        }
    int scheme = (int)(strstr(text, "://") + 3 - text);
    snprintf(out, size, "%.*s%.*s", scheme, text, (int)strcspn(host, "?#"), host);
}

/* --- the checksum -------------------------------------------------------------------------------------------------- */

/* The given one in small letters; TV_ERR_USAGE if it is none. */
static enum tv_status read_given(const char *given, char out[65], struct tv_error *err)
{
    size_t n = strlen(given);
    if (n != 64 || strspn(given, "0123456789abcdefABCDEF") != n)
        return tv_fail(err, TV_ERR_USAGE, "--sha256 has 64 digits of 0 to 9 and a to f, and this has %zu characters", n);
    for (size_t i = 0; i <= n; i++)
        out[i] = (char)(given[i] >= 'A' && given[i] <= 'F' ? given[i] + ('a' - 'A') : given[i]);
    return TV_OK;
}

static enum tv_status sum_of(const char *path, char out[65], struct tv_error *err)
{
    static unsigned char block[1 << 16];
    unsigned char sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    FILE *f = fopen(path, "rbe");
    sha256_init(&hash);
    for (size_t n; f && (n = fread(block, 1, sizeof block, f)) > 0;)
        sha256_update(&hash, n, block);
    int failed = f == NULL || ferror(f);
    if (f)
        fclose(f);
    if (failed)
        return tv_fail(err, TV_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    sha256_digest(&hash, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    return TV_OK;
}

/* *same is 0 only where the sum was looked at and is another one. */
static enum tv_status check_sum(const char *path, const char *given, const char *shown, int *same, struct tv_error *err)
{
    char wanted[65], found[65];
    struct stat about;
    *same = 1;
    enum tv_status status = given ? read_given(given, wanted, err) : TV_OK;
    if (status != TV_OK || given == NULL)
        return status;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return tv_fail(err, TV_ERR_USAGE, "--sha256 is of one file, and %s is a folder", path);
    status = sum_of(path, found, err);
    if (status != TV_OK || (*same = strcmp(wanted, found) == 0))
        return status;
    tv_fail(err, TV_ERR_INPUT, "%s has another SHA-256 than --sha256 says: %s", shown, found);
    return tv_hint(err, "nothing was loaded. Is the sum that of this file, in this version?");
}

/* --- the download -------------------------------------------------------------------------------------------------- */

/* Until the part is whole. A part that grows is tried again; one that is of another state of the file goes. *came is 0 where the file
 * was there before, and is what the server has. */
static enum tv_status fetch_all(const struct tv_transfer *t, int *came, struct tv_error *err)
{
    enum tv_transferred outcome = TV_TRANSFER_CUT;
    *came = 1;
    struct tv_cached *to = t->to;
    char size[32];
    for (int anew = 0;;) {
        double before = to->part_size;
        enum tv_status status = tv_transfer(t, &outcome, err);
        if (status == TV_OK && outcome == TV_TRANSFER_UNCHANGED) {
            *came = 0;
            return TV_OK;
        }
        if (status == TV_OK && outcome == TV_TRANSFER_WHOLE)
            return TV_OK;
        if (status == TV_OK && anew++)
            return tv_fail(err, TV_ERR_IO, "%s changes while it is downloaded", t->shown);
        if (status == TV_OK) {
            tv_log_info("%s is another file by now: downloading it from its beginning", t->shown);
            tv_cache_drop(to);
            continue;
        }
        /* nothing came, or the server gives no name by which it could go on */
        if (outcome != TV_TRANSFER_CUT || to->part_size <= before || (to->of_part.etag[0] == '\0' && to->of_part.modified[0] == '\0'))
            return status;
        tv_log_info("the connection was lost after %s: going on", tv_text_bytes(size, to->part_size));
    }
}

/* What came just now and is another file than the sum is of is not kept. A copy that was there before stays: more likely than it, the
 * sum is wrong, or what the server has by now. */
static enum tv_status keep(const char *sum, const char *shown, struct tv_cached *to, int came, struct tv_error *err)
{
    char size[32];
    int same;
    struct stat about;
    enum tv_status status = check_sum(came ? to->part : to->file, sum, shown, &same, err);
    if (!same && came)
        tv_cache_drop(to);
    if (!same && to->whole)
        return tv_hint(err, "nothing was loaded, and the copy that was there before is kept as %s. Is the sum that of this file, in this "
                            "version? If the copy is what is wrong, remove it, and it comes anew", to->file);
    if (status == TV_OK && came)
        status = tv_cache_keep(to, err);
    if (status == TV_OK && stat(to->file, &about) == 0)
        tv_log_info("%s is kept as %s, %s", shown, to->file, tv_text_bytes(size, (double)about.st_size));
    return status;
}

static enum tv_status download(const struct tv_settings *s, const char *url, struct tv_cached *to, struct tv_error *err)
{
    char shown[600], size[32];
    int came;
    tv_fetch_shown(url, shown, sizeof shown);
    const struct tv_transfer t = {.url = url,
                                  .shown = shown,
                                  .max_bytes = MEGABYTE * (double)tv_settings_int(s, "max-download"),
                                  .stall_seconds = (int)tv_settings_int(s, "stall-timeout"),
                                  .to = to};
    if (to->part_size > 0)
        tv_log_info("going on with a download of which %s have come", tv_text_bytes(size, to->part_size));
    enum tv_status status = fetch_all(&t, &came, err);
    return status == TV_OK ? keep(tv_settings_text(s, "sha256"), shown, to, came, err) : status;
}

/* The sum is looked at first, because one that is none would cost a download. */
enum tv_status tv_fetch(const struct tv_settings *s, const char *given, char *path, size_t size, struct tv_error *err)
{
    const char *sum = tv_settings_text(s, "sha256");
    struct tv_cached to;
    char digits[65];
    int same;
    enum tv_status status = sum ? read_given(sum, digits, err) : TV_OK;
    if (status != TV_OK)
        return status;
    if (!tv_fetch_is_address(given)) {
        snprintf(path, size, "%s", given);
        return access(given, F_OK) == 0 ? check_sum(given, sum, given, &same, err) : TV_OK;
    }
    status = tv_cache_open(&to, tv_settings_text(s, "cache"), given, err);
    if (status == TV_OK)
        status = download(s, given, &to, err);
    snprintf(path, size, "%s", to.file);
    tv_cache_close(&to);
    return status;
}
