/* events: gathers the values of one column, and words the warning. */
#include "etl/formats/events.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "etl/formats/encoding.h"
#include "trivet/base/hash.h"
#include "trivet/base/shell.h"
#include "trivet/base/text.h"

/* A value as it can be shown; the empty one as two quotes. */
static void show(char *out, const struct tv_field *f)
{
    struct tv_buffer text = TV_BUFFER_INIT(4 * TV_EVENTS_TEXT + 16);
    tv_text_copy(out, TV_EVENTS_TEXT, "\"\"");
    if (f->n > 0 && tv_encoding_printable(&text, f->text, f->n, TV_EVENTS_TEXT - 1, NULL) == TV_OK)
        tv_text_copy(out, TV_EVENTS_TEXT, tv_buffer_string(&text));
    tv_buffer_free(&text);
}

void tv_events_add(struct tv_events *events, const struct tv_record *record)
{
    if (events->column < 0 || events->column >= record->n || events->n > TV_EVENTS_MAX)
        return;
    const struct tv_field *f = &record->fields[events->column];
    uint64_t hash = tv_hash(TV_HASH_START, f->text, f->n);
    for (int i = 0; i < events->n; i++)
        if (events->hashes[i] == hash)
            return;
    if (events->n < TV_EVENTS_SHOWN)
        show(events->words[events->n], f);
    if (events->n < TV_EVENTS_MAX)
        events->hashes[events->n] = hash;
    events->n++;
}

/* Whether a word may stand in a command as it is: within a shell's quotes, within those of Python or awk, and as a file's name. */
static int is_plain(const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)word[i]) && (i == 0 || strchr("_-.", word[i]) == NULL))
            return 0;
    return n > 0 && n + 1 < TV_EVENTS_TEXT;
}

/* The last of the words that can stand in a command; NULL for none. */
static const char *last_plain(const struct tv_events *e)
{
    const char *last = NULL;
    for (int i = 0; i < e->n && i < TV_EVENTS_SHOWN; i++)
        last = is_plain(e->words[i]) ? e->words[i] : last;
    return last;
}

/* A command that keeps the lines with `word`. Where fields may stand in quotes it reads them as such: a comma in one of them would put
 * another column in its place, and lines would be missing in silence. Returns 0 where it does not fit, since half of one does harm. */
static int write_choice(const struct tv_events *e, const struct tv_dialect *dialect, const char *file, int has_header, const char *word,
                        char *out, size_t size)
{
    const char *separator = strcmp(dialect->separator, "\t") == 0 ? "\\t" : dialect->separator;
    char name[400], target[TV_EVENTS_TEXT + 8];
    snprintf(target, sizeof target, "%s.csv", word);
    if (strcmp(target, file) == 0) /* a shell empties what it writes to before anything is read */
        return 0;
    tv_shell_word(name, sizeof name, file);
    int n = dialect->quotes
                ? snprintf(out, size,
                           "python3 -c 'import csv, sys; f = {\"newline\": \"\", \"encoding\": \"latin-1\"}; d = \"%s\"; "
                           "csv.writer(open(\"%s.csv\", \"w\", **f), delimiter=d).writerows(r for n, r in "
                           "enumerate(csv.reader(open(sys.argv[1], **f), delimiter=d)) if %sr[%d:%d] == [\"%s\"])' %s",
                           separator, word, has_header ? "n == 0 or " : "", e->column, e->column + 1, word, name)
                : snprintf(out, size, "awk -F'%s' '%s$%d == \"%s\"' %s > %s.csv", separator, has_header ? "NR == 1 || " : "", e->column + 1,
                           word, name, word);
    return n > 0 && (size_t)n < size;
}

char *tv_events_warning(const struct tv_events *e, const struct tv_dialect *dialect, const char *file, int has_header, char *out, size_t size)
{
    char words[160] = "", more[32] = "", command[560];
    size_t n = 0;
    *out = '\0';
    if (e->column < 0 || e->n < 2 || e->n > TV_EVENTS_MAX)
        return out;
    for (int i = 0; i < e->n && i < TV_EVENTS_SHOWN && n < sizeof words; i++)
        n += (size_t)snprintf(words + n, sizeof words - n, "%s%.20s", i ? ", " : "", e->words[i]);
    tv_text_mark_cut(words, sizeof words, (int)n);
    if (e->n > TV_EVENTS_SHOWN)
        snprintf(more, sizeof more, " and %d more", e->n - TV_EVENTS_SHOWN);
    const char *word = last_plain(e);
    int is_said = word && write_choice(e, dialect, file, has_header, word, command, sizeof command);
    snprintf(out, size, "lines count alike, whatever their %s says (%s%s). %s%s", e->name, words, more,
             is_said ? "Those of one kind alone: " : "Where one kind is meant, load its lines alone", is_said ? command : "");
    return out;
}
