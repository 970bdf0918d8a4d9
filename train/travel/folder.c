/* folder: a model's folder as a whole: making it beside its place, its checksums, putting it in its place in one
 * step, and checking one that came from elsewhere. The contents of the files are the other files' business.
 */
#include "train/travel/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trivet/base/buffer.h"
#include "trivet/base/hash.h"

#define CHECKSUMS "checksums.csv"

/* Every file that a folder can hold. Anything else in a folder is somebody else's, and stops deletion and
 * replacement. */
static const struct {
    const char *name;
    int optional;
} files[] = {
    {TV_FOLDER_MODEL, 0},        {TV_FOLDER_ITEM_IDS, 0},  {TV_FOLDER_ITEM_FACTORS, 0}, {TV_FOLDER_SINGULAR_VALUES, 1},
    {TV_FOLDER_ITEMS_CSV, 0},    {TV_FOLDER_ITEMS, 0},     {TV_FOLDER_USER_IDS, 0},     {TV_FOLDER_USER_ROWS, 0},
    {TV_FOLDER_USER_FACTORS, 0}, {TV_FOLDER_USERS_CSV, 0}, {TV_FOLDER_RATED_START, 0},  {TV_FOLDER_RATED_ITEMS, 0},
    {TV_FOLDER_RATINGS, 0},      {TV_FOLDER_CODES, 1},
};
enum { N_FILES = sizeof files / sizeof *files };

/* The index of a name in `files`, or -1. */
static int file_of(const char *name)
{
    for (int i = 0; i < N_FILES; i++)
        if (strcmp(name, files[i].name) == 0)
            return i;
    return -1;
}

char *tv_folder_file(char *out, const char *dir, const char *name)
{
    snprintf(out, TV_FOLDER_PATH, "%s/%s", dir, name);
    return out;
}

/* Items ascend in both, so `seen` ascends, too. */
size_t tv_folder_seen(const struct tv_dense_map *items, const int64_t *rated, size_t n, int32_t *seen)
{
    size_t n_seen = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t item = tv_dense_map_find(items, rated[i]);
        if (item >= 0)
            seen[n_seen++] = (int32_t)item;
    }
    return n_seen;
}

/* --- what stands in a folder ------------------------------------------------------------------------------ */

typedef enum tv_status (*take_entry)(const char *dir, const char *name, struct tv_error *err);

/* Calls `take` for every entry but . and .. until one returns something else than TV_OK. */
static enum tv_status each_entry(const char *dir, take_entry take, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    DIR *d = opendir(dir);
    if (d == NULL)
        return tv_fail(err, errno == ENOENT ? TV_ERR_NOT_FOUND : TV_ERR_IO, "cannot read %s: %s", dir, strerror(errno));
    for (struct dirent *e = readdir(d); e && status == TV_OK; e = readdir(d))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            status = take(dir, e->d_name, err);
    closedir(d);
    return status;
}

static enum tv_status refuse_any(const char *dir, const char *name, struct tv_error *err)
{
    (void)name;
    tv_fail(err, TV_ERR_INPUT, "%s is not empty", dir);
    return tv_hint(err, "name another folder; --force replaces an earlier export");
}

/* A folder of another kind may be named by mistake; --force must not delete somebody's work. */
static enum tv_status refuse_foreign(const char *dir, const char *name, struct tv_error *err)
{
    if (file_of(name) >= 0 || strcmp(name, CHECKSUMS) == 0)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "%s holds %s, which no export wrote, so it is not replaced", dir, name);
    return tv_hint(err, "name another folder");
}

/* An entry that no export wrote stays, and ends the deletion. */
static enum tv_status delete_file(const char *dir, const char *name, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    enum tv_status status = refuse_foreign(dir, name, err);
    if (status == TV_OK && unlink(tv_folder_file(path, dir, name)) != 0)
        status = tv_fail(err, TV_ERR_IO, "cannot delete %s: %s", path, strerror(errno));
    return status;
}

/* Deletes our files and then the folder; another's file stops it. */
static enum tv_status delete_folder(const char *dir, struct tv_error *err)
{
    enum tv_status status = each_entry(dir, delete_file, err);
    if (status == TV_OK && rmdir(dir) != 0)
        status = tv_fail(err, TV_ERR_IO, "cannot delete %s: %s", dir, strerror(errno));
    return status;
}

/* --- making it -------------------------------------------------------------------------------------------- */

/* "/", "." and ".." name folders that cannot be renamed to. The limit leaves room for the files' names in
 * TV_FOLDER_PATH. */
static enum tv_status choose_places(struct tv_folder *f, const char *dir, struct tv_error *err)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    const char *slash = memrchr(dir, '/', n), *name = slash ? slash + 1 : dir;
    size_t n_name = n - (size_t)(name - dir);
    if (n_name == 0 || (n_name <= 2 && strspn(name, ".") >= n_name))
        return tv_fail(err, TV_ERR_USAGE, "\"%s\" does not name a folder that can be made", dir);
    if (n > TV_FOLDER_PATH - 64)
        return tv_fail(err, TV_ERR_USAGE, "the folder's name has %zu bytes, at most %d are possible", n,
                       TV_FOLDER_PATH - 64);
    snprintf(f->place, sizeof f->place, "%.*s", (int)n, dir);
    snprintf(f->partial, sizeof f->partial, "%.*s.partial", (int)n, dir);
    return TV_OK;
}

/* A missing place is fine. Without --force an existing one must be empty, with it there may be an export. */
static enum tv_status look_at_place(struct tv_folder *f, int force, struct tv_error *err)
{
    enum tv_status status = each_entry(f->place, force ? refuse_foreign : refuse_any, err);
    f->replace = status == TV_OK;
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* Makes and locks the partial folder, so that two exports to one place do not write into each other's files. The lock
 * (flock) ends with the process, however that ends, so a killed export leaves a folder but no lock. */
static enum tv_status hold(struct tv_folder *f, struct tv_error *err)
{
    if (mkdir(f->partial, 0777) != 0 && errno != EEXIST)
        return tv_fail(err, TV_ERR_IO, "cannot make %s: %s", f->partial, strerror(errno));
    f->held = open(f->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->held < 0)
        return tv_fail(err, TV_ERR_IO, "cannot open %s: %s", f->partial, strerror(errno));
    if (flock(f->held, LOCK_EX | LOCK_NB) == 0)
        return TV_OK;
    close(f->held);
    f->held = -1;
    return tv_fail(err, TV_ERR_BUSY, "another export is writing %s", f->partial);
}

/* The lock is taken before the partial folder is emptied: another export may be writing into it. */
enum tv_status tv_folder_create(struct tv_folder *f, const char *dir, int force, struct tv_error *err)
{
    *f = (struct tv_folder){.held = -1};
    enum tv_status status = choose_places(f, dir, err);
    if (status == TV_OK)
        status = look_at_place(f, force, err);
    if (status == TV_OK)
        status = hold(f, err);
    if (status == TV_OK && (status = each_entry(f->partial, delete_file, err)) != TV_OK) {
        close(f->held);
        f->held = -1;
    }
    return status;
}

/* Best effort: the reason that it is called is already in the caller's error. */
void tv_folder_discard(struct tv_folder *f)
{
    if (f->held < 0)
        return;
    tv_ignore(delete_folder(f->partial, NULL), "the next export into this place takes over what is left");
    close(f->held);
    f->held = -1;
}

enum tv_status tv_folder_open_text(FILE **out, const struct tv_folder *f, const char *name, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    *out = fopen(tv_folder_file(path, f->partial, name), "we");
    return *out ? TV_OK : tv_fail(err, TV_ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

/* A full disk may show only when the data is written, so the file is synced before it counts as written. */
enum tv_status tv_folder_close_text(FILE *file, const char *name, struct tv_error *err)
{
    if (file == NULL)
        return TV_OK;
    int failed = ferror(file) || fflush(file) != 0 || fsync(fileno(file)) != 0;
    failed |= fclose(file) != 0;
    return failed ? tv_fail(err, TV_ERR_IO, "cannot write %s: %s", name, strerror(errno)) : TV_OK;
}

/* --- checksums -------------------------------------------------------------------------------------------- */

struct sum {
    uint64_t bytes, hash;
};

/* A line of checksums.csv: "model.json,1234,00000000deadbeef". */
static void line_of(char *out, size_t size, const char *name, const struct sum *sum)
{
    snprintf(out, size, "%s,%" PRIu64 ",%016" PRIx64 "\n", name, sum->bytes, sum->hash);
}

/* NULL with errno. A pipe or a device among somebody's files would be read for ever. */
static FILE *open_file(const char *path)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    FILE *file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? fdopen(fd, "rb") : NULL;
    if (file == NULL) {
        close(fd);
        errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
    }
    return file;
}

/* Size and hash (FNV-1a) of a file, a megabyte at a time. */
static enum tv_status sum_file(struct sum *out, const char *path, struct tv_error *err)
{
    enum { BLOCK = 1 << 20 };
    FILE *file = open_file(path);
    if (file == NULL)
        return tv_fail(err, errno == ENOENT ? TV_ERR_NOT_FOUND : TV_ERR_IO, "cannot read %s: %s", path,
                       strerror(errno));
    char *block = tv_alloc(BLOCK, 1, "a file", err);
    enum tv_status status = block ? TV_OK : TV_ERR_NO_MEMORY;
    *out = (struct sum){.hash = TV_HASH_START};
    for (size_t n = BLOCK; n == BLOCK && status == TV_OK;) {
        n = fread(block, 1, BLOCK, file);
        out->hash = tv_hash(out->hash, block, n);
        out->bytes += n;
    }
    if (status == TV_OK && ferror(file))
        status = tv_fail(err, TV_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    free(block);
    fclose(file);
    return status;
}

/* Hashes what was written by reading it back; with checksums.csv itself, *n_files is one more than there are lines. */
static enum tv_status write_sums(const struct tv_folder *f, int *n_files, double *bytes, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    FILE *out = NULL;
    *n_files = 1;
    *bytes = 0;
    enum tv_status status = tv_folder_open_text(&out, f, CHECKSUMS, err);
    if (status == TV_OK)
        fprintf(out, "file,bytes,fnv1a\n");
    for (int i = 0; i < N_FILES && status == TV_OK; i++) {
        struct sum sum;
        status = sum_file(&sum, tv_folder_file(path, f->partial, files[i].name), err);
        if (status == TV_ERR_NOT_FOUND && files[i].optional) {
            status = TV_OK;
        } else if (status == TV_OK) {
            char line[256];
            line_of(line, sizeof line, files[i].name, &sum);
            fputs(line, out);
            *n_files += 1;
            *bytes += (double)sum.bytes;
        }
    }
    enum tv_status closed = tv_folder_close_text(out, CHECKSUMS, status == TV_OK ? err : NULL);
    return status == TV_OK ? closed : status;
}

/* --- putting it in its place ------------------------------------------------------------------------------ */

/* A rename outlives a power cut once the folder that holds the name is on the disk. A failure is not told: the export
 * is whole either way. */
static void sync_parent(const struct tv_folder *f)
{
    char parent[TV_FOLDER_PATH];
    const char *slash = strrchr(f->place, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - f->place) + 1 : 1, slash ? f->place : ".");
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/* Onto an empty or missing place the folder is renamed. With an earlier export it changes places in one step
 * (RENAME_EXCHANGE), so that there is always a whole one, and the old one then goes away. */
static enum tv_status take_place(struct tv_folder *f, struct tv_error *err)
{
    unsigned how = f->replace ? RENAME_EXCHANGE : 0;
    if (renameat2(AT_FDCWD, f->partial, AT_FDCWD, f->place, how) != 0)
        return tv_fail(err, TV_ERR_IO, "cannot rename %s to %s: %s", f->partial, f->place, strerror(errno));
    sync_parent(f);
    close(f->held);
    f->held = -1;
    return f->replace ? delete_folder(f->partial, err) : TV_OK;
}

enum tv_status tv_folder_publish(struct tv_folder *f, int *n_files, double *bytes, struct tv_error *err)
{
    enum tv_status status = write_sums(f, n_files, bytes, err);
    if (status == TV_OK && fsync(f->held) != 0)
        status = tv_fail(err, TV_ERR_IO, "cannot write %s: %s", f->partial, strerror(errno));
    return status == TV_OK ? take_place(f, err) : status;
}

/* --- checking it ------------------------------------------------------------------------------------------ */

/* The hint of every finding; the status in err stays the caller's. */
static unsigned damaged(struct tv_error *err, const char *dir)
{
    return tv_hint(err, "%s is incomplete or was changed: export the model again", dir);
}

/* One line of checksums.csv: marks the file as found. */
static enum tv_status check_line(const char *dir, const char *line, int *found, struct tv_error *err)
{
    char name[64], path[TV_FOLDER_PATH], exactly[256];
    struct sum said, sum;
    int which = -1;
    if (sscanf(line, "%63[^,],%" SCNu64 ",%16" SCNx64, name, &said.bytes, &said.hash) == 3)
        which = file_of(name);
    if (which >= 0) /* a number can be written in many ways, but an export writes it in one */
        line_of(exactly, sizeof exactly, name, &said);
    if (which < 0 || strcmp(line, exactly) != 0 || found[which]) {
        tv_fail(err, TV_ERR_INPUT, "%s/" CHECKSUMS " is damaged: \"%.*s\"", dir, (int)strcspn(line, "\n"), line);
        return damaged(err, dir);
    }
    enum tv_status status = sum_file(&sum, tv_folder_file(path, dir, name), err);
    found[which] = 1;
    if (status == TV_ERR_NOT_FOUND)
        tv_fail(err, TV_ERR_INPUT, "%s is missing", path);
    else if (status == TV_OK && sum.bytes != said.bytes)
        tv_fail(err, TV_ERR_INPUT, "%s has %" PRIu64 " bytes, but %" PRIu64 " were written", path, sum.bytes,
                said.bytes);
    else if (status == TV_OK && sum.hash != said.hash)
        tv_fail(err, TV_ERR_INPUT, "%s is damaged: its checksum is %016" PRIx64 ", but %016" PRIx64 " was written",
                path, sum.hash, said.hash);
    else
        return status;
    damaged(err, dir);
    return TV_ERR_INPUT;
}

/* A file that nothing vouches for is not read: that an optional one is not listed must not mean that it is taken as
 * it is. */
static enum tv_status check_listed(const char *dir, const int *found, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    for (int i = 0; i < N_FILES; i++)
        if (!found[i] && access(tv_folder_file(path, dir, files[i].name), F_OK) == 0) {
            tv_fail(err, TV_ERR_INPUT, "%s/" CHECKSUMS " does not list %s", dir, files[i].name);
            damaged(err, dir);
            return TV_ERR_INPUT;
        }
    return TV_OK;
}

static enum tv_status check_complete(const char *dir, const int *found, struct tv_error *err)
{
    for (int i = 0; i < N_FILES; i++)
        if (!found[i] && !files[i].optional) {
            tv_fail(err, TV_ERR_INPUT, "%s/" CHECKSUMS " does not list %s", dir, files[i].name);
            damaged(err, dir);
            return TV_ERR_INPUT;
        }
    return TV_OK;
}

/* Three looks: every line is right and its file agrees, every file that must be there has a line, and no file that is
 * there lacks one. A pipe instead of a file is refused and not waited for. */
enum tv_status tv_folder_check(const char *dir, struct tv_error *err)
{
    char path[TV_FOLDER_PATH], line[256] = "";
    int found[N_FILES] = {0};
    FILE *sums = open_file(tv_folder_file(path, dir, CHECKSUMS));
    if (sums == NULL) {
        tv_fail(err, TV_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        tv_hint(err, "is %s a whole folder of trivet-train export?", dir);
        return TV_ERR_INPUT;
    }
    enum tv_status status = TV_OK;
    if (fgets(line, sizeof line, sums) == NULL || strcmp(line, "file,bytes,fnv1a\n") != 0) {
        tv_fail(err, TV_ERR_INPUT, "%s is damaged: it does not begin with file,bytes,fnv1a", path);
        damaged(err, dir);
        status = TV_ERR_INPUT;
    }
    while (status == TV_OK && fgets(line, sizeof line, sums))
        status = check_line(dir, line, found, err);
    fclose(sums);
    if (status == TV_OK)
        status = check_complete(dir, found, err);
    return status == TV_OK ? check_listed(dir, found, err) : status;
}
