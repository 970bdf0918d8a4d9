/* cache: a folder an address, named by its hash, with the file under its own name, because names tell what files are. Beside it lies
 * a note of how the server calls the state that was fetched. The address itself is written nowhere: it may hold a password.
 */
#include "etl/fetch/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "trivet/base/hash.h"

/* Makes a folder and those above it. */
static enum tv_status make_folders(char *path, struct tv_error *err)
{
    for (char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        if (slash != path)
            *slash = '\0';
        int failed = slash != path && mkdir(path, 0700) != 0 && errno != EEXIST;
        if (slash != path)
            *slash = '/';
        if (failed)
            break;
    }
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return TV_OK;
    tv_fail(err, TV_ERR_IO, "cannot make the folder %s for downloads: %s", path, strerror(errno));
    return tv_hint(err, "name another one with --cache DIR");
}

/* The file's name: the last part of the address's path, of letters that any file system takes. */
static void name_of(char *out, size_t size, const char *url)
{
    const char *begin = strstr(url, "://") + 3, *end = begin + strcspn(begin, "?#"), *name = end;
    size_t n = 0;
    while (name > begin && name[-1] != '/')
        name--;
    if (strchr(begin, '/') == NULL || strchr(begin, '/') >= end) /* no path at all */
        name = end;
    for (; name < end && n + 1 < size; name++)
        out[n++] = strchr("/\\:*?\"<>|%", *name) || (unsigned char)*name < ' ' ? '_' : *name;
    out[n] = '\0';
    if (n == 0 || out[0] == '.')
        snprintf(out, size, "download");
}

/* A download that somebody else works on is not waited for: it may take hours. The folder may be tidied away between two steps, and
 * then a lock on what was its file keeps nobody out: begun again, a few times. */
static enum tv_status take_lock(struct tv_cached *c, char *folder, struct tv_error *err)
{
    enum { TRIES = 10 };
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", folder);
    for (int i = 0; i < TRIES; i++) {
        struct stat about;
        enum tv_status status = make_folders(folder, err);
        if (status != TV_OK)
            return status;
        c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (c->lock < 0 && errno != ENOENT) {
            tv_fail(err, TV_ERR_IO, "cannot write %s: %s", path, strerror(errno));
            return tv_hint(err, "name another folder with --cache DIR");
        }
        int is_ours = c->lock >= 0 && flock(c->lock, LOCK_EX | LOCK_NB) == 0;
        if (is_ours && fstat(c->lock, &about) == 0 && about.st_nlink > 0)
            return TV_OK;
        if (c->lock >= 0)
            close(c->lock);
        c->lock = -1;
    }
    tv_fail(err, TV_ERR_BUSY, "another process downloads from this address");
    return tv_hint(err, "wait for it to end, then run this again");
}

/* A note that cannot be read is none: then the download begins anew. */
static void read_note(const char *path, struct tv_cached_state *state)
{
    json_t *note = json_load_file(path, 0, NULL);
    const char *etag = json_string_value(json_object_get(note, "etag")),
               *modified = json_string_value(json_object_get(note, "modified"));
    snprintf(state->etag, sizeof state->etag, "%s", etag ? etag : "");
    snprintf(state->modified, sizeof state->modified, "%s", modified ? modified : "");
    json_decref(note);
}

enum tv_status tv_cache_open(struct tv_cached *out, const char *folder, const char *url, struct tv_error *err)
{
    char path[3000], name[200];
    const char *home = getenv("HOME"), *xdg = getenv("XDG_CACHE_HOME");
    uint64_t hash = tv_hash(TV_HASH_START, url, strlen(url));
    *out = (struct tv_cached){.lock = -1};
    if (folder)
        snprintf(path, sizeof path, "%s/%016" PRIx64, folder, hash);
    else if (xdg && *xdg)
        snprintf(path, sizeof path, "%s/trivet/%016" PRIx64, xdg, hash);
    else
        snprintf(path, sizeof path, "%s/.cache/trivet/%016" PRIx64, home && *home ? home : "", hash);
    enum tv_status status = take_lock(out, path, err);
    if (status != TV_OK)
        return status;
    name_of(name, sizeof name, url);
    snprintf(out->file, sizeof out->file, "%s/%s", path, name);
    snprintf(out->part, sizeof out->part, "%s/%s.part", path, name);
    snprintf(out->note, sizeof out->note, "%s/note.json", path);
    snprintf(out->part_note, sizeof out->part_note, "%s/part.json", path);
    struct stat about;
    out->whole = stat(out->file, &about) == 0;
    out->part_size = stat(out->part, &about) == 0 ? (double)about.st_size : 0;
    read_note(out->note, &out->of_file);
    read_note(out->part_note, &out->of_part);
    return TV_OK;
}

/* Removes the folder where nothing has come, while its lock is held. */
static void tidy(struct tv_cached *c)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", c->note);
    if (access(c->file, F_OK) == 0 || access(c->part, F_OK) == 0)
        return;
    unlink(c->note);
    unlink(c->part_note);
    snprintf(strrchr(path, '/'), sizeof "/lock", "/lock");
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

void tv_cache_close(struct tv_cached *c)
{
    if (c->lock >= 0)
        tidy(c);
    if (c->lock >= 0)
        close(c->lock);
    c->lock = -1;
}

/* Written beside and renamed, so that no note is half a note. */
enum tv_status tv_cache_note(struct tv_cached *c, struct tv_error *err)
{
    char beside[4200];
    snprintf(beside, sizeof beside, "%s.new", c->part_note);
    json_t *note = json_pack("{s:s, s:s}", "etag", c->of_part.etag, "modified", c->of_part.modified);
    int ok = note && json_dump_file(note, beside, JSON_COMPACT) == 0 && rename(beside, c->part_note) == 0;
    json_decref(note);
    return ok ? TV_OK : tv_fail(err, TV_ERR_IO, "cannot write %s: %s", c->part_note, strerror(errno));
}

/* The older note goes first: a process that ends between two of these steps leaves a file without a note, which comes anew, and never a
 * file with the other's. */
enum tv_status tv_cache_keep(struct tv_cached *c, struct tv_error *err)
{
    unlink(c->note);
    if (rename(c->part, c->file) != 0 || rename(c->part_note, c->note) != 0)
        return tv_fail(err, TV_ERR_IO, "cannot write %s: %s", c->file, strerror(errno));
    c->whole = 1;
    c->part_size = 0;
    c->of_file = c->of_part;
    return TV_OK;
}

void tv_cache_drop(struct tv_cached *c)
{
    unlink(c->part);
    unlink(c->part_note);
    c->part_size = 0;
    c->of_part = (struct tv_cached_state){.etag = ""};
}
