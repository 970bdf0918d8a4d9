/* json: the keys of a file's first object are read as if they were a table's header. Only the beginning is looked at, which need not
 * be whole, so a parser of JSON would refuse it. */
#include "etl/peek/json.h"

#include <stdio.h>
#include <string.h>

#include "trivet/base/shell.h"
#include "trivet/read/columns.h"

enum { HEAD = 16 * 1024 };

struct object {
    char head[HEAD];
    size_t n;
    int in_list;             /* the file is one list of objects, and not an object a line */
    struct tv_record keys;
    struct tv_columns columns;
};

static void read_head(struct object *o, const struct tv_input *input, const struct tv_input_file *file)
{
    struct tv_byte_source *source = NULL;
    size_t got = 1;
    o->n = 0;
    if (file->is_archive || tv_byte_source_open(&source, input, file, NULL) != TV_OK)
        return;
    while (o->n < sizeof o->head && got > 0) {
        if (source->read(source, o->head + o->n, sizeof o->head - o->n, &got, NULL) != TV_OK)
            break;
        o->n += got;
    }
    tv_byte_source_close(source);
}

/* Where the string ends that begins at i: at its closing quote, or at the end of what is known. */
static size_t string_end(const struct object *o, size_t i)
{
    for (i++; i < o->n && o->head[i] != '"'; i++)
        i += o->head[i] == '\\';
    return i;
}

static void add_key(struct object *o, size_t from, size_t to)
{
    if (o->keys.n < TV_RECORD_MAX_FIELDS)
        o->keys.fields[o->keys.n++] = (struct tv_field){o->head + from, to - from};
}

/* Whether the value behind the colon is a text or a number; what a field of a table cannot be is no column. */
static int is_plain(const struct object *o, size_t colon)
{
    size_t i = colon + 1;
    while (i < o->n && memchr(" \t\r\n", o->head[i], 4))
        i++;
    return i < o->n && o->head[i] != '{' && o->head[i] != '[';
}

/* Gathers the keys of the first object until it is closed. */
static void read_keys(struct object *o, size_t start)
{
    int depth = 0;
    size_t from = 0, to = 0;
    for (size_t i = start; i < o->n; i++) {
        char c = o->head[i];
        if (c == '"') {
            from = i + 1;
            to = i = string_end(o, i);
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return;
        } else if (c == ':' && depth == 1 && to > from && to < o->n && is_plain(o, i)) {
            add_key(o, from, to);
        }
    }
}

/* 1 if the file begins with an object that names a user and an item, each surely. */
static int read_object(struct object *o, const struct tv_input *input, const struct tv_input_file *file)
{
    size_t i = 0;
    read_head(o, input, file);
    if (o->n >= 3 && memcmp(o->head, "\xef\xbb\xbf", 3) == 0)
        i = 3;
    o->in_list = 0;
    o->keys = (struct tv_record){.n = 0};
    for (; i < o->n && memchr(" \t\r\n[", o->head[i], 5) && !(o->head[i] == '[' && o->in_list); i++)
        o->in_list |= o->head[i] == '[';
    if (i >= o->n || o->head[i] != '{')
        return 0;
    read_keys(o, i);
    tv_columns_from_header(&o->columns, &o->keys);
    return o->columns.at[TV_COLUMN_USER] >= 0 && o->columns.at[TV_COLUMN_ITEM] >= 0 && o->columns.rival[TV_COLUMN_USER] < 0 &&
           o->columns.rival[TV_COLUMN_ITEM] < 0;
}

/* The column of a meaning, if there is no doubt about it. */
static int sure(const struct object *o, enum tv_column column)
{
    return o->columns.rival[column] < 0 ? o->columns.at[column] : -1;
}

int tv_json_likeness(const struct tv_input *input, const struct tv_input_file *file)
{
    struct object o;
    if (!read_object(&o, input, file))
        return 0;
    return sure(&o, TV_COLUMN_RATING) >= 0 || sure(&o, TV_COLUMN_PLAYS) >= 0 ? 2 : 1;
}

/* Which key is the rating is not sure, or the first object has none, as others may: so all keys of all objects become columns, and a
 * load then says what is not known. They are read twice, and no more is kept of them than their keys. */
static char *command_of_all(const struct object *o, const char *table, const char *name, char *out, size_t size)
{
    int n = snprintf(out, size,
                     "python3 -c 'import csv, json, sys; rows = lambda: %s; keys = list(dict.fromkeys(key for row in rows() for key in row)); "
                     "out = csv.DictWriter(open(\"%s\", \"w\", newline=\"\", encoding=\"utf-8\"), keys); out.writeheader(); "
                     "out.writerows(rows())' %s",
                     o->in_list ? "json.load(open(sys.argv[1], encoding=\"utf-8-sig\"))"
                                : "map(json.loads, filter(str.strip, open(sys.argv[1], encoding=\"utf-8-sig\")))",
                     table, name);
    if (n < 0 || (size_t)n >= size)
        out[0] = '\0';
    return out;
}

/* Line by line, as such files are larger than memory; a list has to be read at once. */
char *tv_json_command(const struct tv_input *input, const struct tv_input_file *file, char *out, size_t size)
{
    static const enum tv_column wanted[] = {TV_COLUMN_USER, TV_COLUMN_ITEM, TV_COLUMN_RATING, TV_COLUMN_PLAYS, TV_COLUMN_TIME};
    struct object o;
    char name[600], key[80], word[200];
    out[0] = '\0';
    if (!read_object(&o, input, file))
        return out;
    const char *table = strcmp(file->name, "ratings.csv") == 0 ? "ratings-table.csv" : "ratings.csv"; /* which is emptied first */
    tv_shell_word(name, sizeof name, file->name);
    if (sure(&o, TV_COLUMN_RATING) < 0 && sure(&o, TV_COLUMN_PLAYS) < 0)
        return command_of_all(&o, table, name, out, size);
    int n = snprintf(out, size,
                     "python3 -c 'import csv, json, sys; keys = sys.argv[2:]; out = csv.writer(open(\"%s\", \"w\", newline=\"\", "
                     "encoding=\"utf-8\")); out.writerow(keys); out.writerows([row.get(key) for key in keys] for row in %s)' %s",
                     table,
                     o.in_list ? "json.load(open(sys.argv[1], encoding=\"utf-8-sig\"))"
                               : "map(json.loads, filter(str.strip, open(sys.argv[1], encoding=\"utf-8-sig\")))",
                     name);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        int at = wanted[i] == TV_COLUMN_PLAYS && sure(&o, TV_COLUMN_RATING) >= 0 ? -1 : sure(&o, wanted[i]);
        if (at < 0)
            continue;
        int cut = snprintf(key, sizeof key, "%.*s", (int)o.keys.fields[at].n, o.keys.fields[at].text) >= (int)sizeof key;
        if (cut || n < 0 || (size_t)n >= size) {
            out[0] = '\0'; /* half a command is none */
            return out;
        }
        n += snprintf(out + n, size - (size_t)n, " %s", tv_shell_word(word, sizeof word, key));
    }
    if (n < 0 || (size_t)n >= size)
        out[0] = '\0';
    return out;
}
