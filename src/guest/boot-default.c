/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/boot-default.h"

#include <fnmatch.h>
#include <stdio.h>
#include <strings.h>

#include "guest/buffer.h"

#define WORD_MAX 512u

/* --- lines and words ------------------------------------------------------------------------------- */

/* The line at *p without blanks before it, and *p behind it. */
static const char *next_line(const char **p, size_t *ret_length) {
        const char *line = *p + strspn(*p, " \t\r");
        size_t n = strcspn(line, "\n");

        *p = line + n + (line[n] == '\n');
        while (n > 0 && strchr(" \t\r", line[n - 1]))
                n--;
        *ret_length = n;
        return line;
}

/* A word of a shell, without its quotes; one that is too long is cut. False at the end of the line. */
static bool next_word(const char **p, const char *end, char ret[static WORD_MAX]) {
        size_t n = 0;
        char quote = 0;

        while (*p < end && strchr(" \t", **p))
                ++*p;
        if (*p >= end)
                return false;
        for (; *p < end && (quote || !strchr(" \t", **p)); ++*p) {
                if (quote ? **p == quote : **p == '\'' || **p == '"')
                        quote = quote ? 0 : **p;
                else if (n < WORD_MAX - 1)
                        ret[n++] = **p;
        }
        ret[n] = 0;
        return true;
}

/* What follows one of the words @names, or NULL. */
static const char *after_word(const char *line, size_t length, const char *const *names) {
        for (; *names; names++) {
                size_t n = strlen(*names);
                if (length >= n && strncasecmp(line, *names, n) == 0 &&
                                (length == n || strchr(" \t=", line[n])))
                        return line + n + (length > n);
        }
        return NULL;
}

static const char *const initrd_words[] = { "initrd", "initrd16", "initrdefi", NULL };

/* Adds the arguments of a line "initrd". */
static void add_initrd(Buffer *found, const char *line, size_t length) {
        const char *value = after_word(line, length, initrd_words);

        if (!value)
                return;
        buffer_add(found, value, (size_t) (line + length - value));
        buffer_add(found, " ", 1);
}

static int finish(Buffer *found, char **ret) {
        size_t size = 0;
        int r = buffer_finish(found, ret, &size);

        if (r >= 0 && size == 0)
                *ret = mfree(*ret);
        return r < 0 ? r : size > 0;
}

static bool is_number(const char *s) {
        return *s && strspn(s, "0123456789") == strlen(s);
}

/* --- GRUB 2 ---------------------------------------------------------------------------------------- */

#define DEPTH_MAX 16u

typedef enum Block { BLOCK_OTHER, BLOCK_SUBMENU, BLOCK_ENTRY } Block;

typedef struct Menu {
        const char *wanted; /* "Advanced>2": the rest of the path to the entry; NULL: the first one */
        Block blocks[DEPTH_MAX]; /* that are open */
        unsigned depth, submenus, entered; /* submenus that are open, and those on the path of them */
        unsigned long index[DEPTH_MAX + 1]; /* of the next item in each of these */
        bool here; /* the entry is open */
} Menu;

/* The first part of a path, up to ">". */
static size_t part_length(const char *path) {
        return strcspn(path, ">");
}

static bool item_is_wanted(const char *wanted, unsigned long index, const char *title, const char *id) {
        char number[24];

        if (!wanted)
                return index == 0;
        size_t n = part_length(wanted);
        (void) snprintf(number, sizeof(number), "%lu", index);
        const char *const names[] = { number, title, id };
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strlen(names[i]) == n && memcmp(names[i], wanted, n) == 0)
                        return true;
        return false;
}

/* The title and the id of the line "menuentry 'Debian' --class … --id x {". */
static void read_item(
                const char *rest, const char *end, char title[static WORD_MAX], char id[static WORD_MAX]) {
        char word[WORD_MAX];

        title[0] = id[0] = 0;
        if (!next_word(&rest, end, title))
                return;
        while (next_word(&rest, end, word))
                if (streq(word, "--id") || streq(word, "$menuentry_id_option"))
                        (void) next_word(&rest, end, id);
}

static void open_block(Menu *m, Block block) {
        if (m->depth < DEPTH_MAX)
                m->blocks[m->depth] = block;
        m->depth++;
}

static void open_item(Menu *m, Block block, const char *rest, const char *end) {
        char title[WORD_MAX], id[WORD_MAX];
        unsigned level = MIN(m->submenus, DEPTH_MAX);

        if (m->here) { /* no item is in an entry */
                open_block(m, BLOCK_OTHER);
                return;
        }
        unsigned long index = m->index[level]++;
        read_item(rest, end, title, id);
        open_block(m, block);
        bool wanted = level == m->entered && item_is_wanted(m->wanted, index, title, id);
        if (block == BLOCK_SUBMENU) {
                m->submenus++;
                m->index[MIN(m->submenus, DEPTH_MAX)] = 0;
                if (!wanted)
                        return;
                m->entered = m->submenus;
                size_t n = m->wanted ? part_length(m->wanted) : 0;
                m->wanted = m->wanted && m->wanted[n] ? m->wanted + n + 1 : NULL;
        } else
                m->here = wanted;
}

/* True if this was the end of the entry. */
static bool close_block(Menu *m) {
        if (m->depth == 0)
                return false;
        Block block = --m->depth < DEPTH_MAX ? m->blocks[m->depth] : BLOCK_OTHER;
        if (block == BLOCK_SUBMENU && m->submenus > 0)
                m->submenus--;
        return block == BLOCK_ENTRY && m->here;
}

/* *ret_there: there is such an entry, which may have no initramfs. */
static int find_entry(const char *config, const char *wanted, bool *ret_there, char **ret) {
        static const char *const entries[] = { "menuentry", NULL }, *const submenus[] = { "submenu", NULL };
        _cleanup_buffer_ Buffer found = {};
        Menu m = { .wanted = wanted };

        for (const char *p = config; *p;) {
                size_t n;
                const char *line = next_line(&p, &n), *rest;

                if (n == 0 || *line == '#')
                        continue;
                if ((rest = after_word(line, n, entries)) && line[n - 1] == '{')
                        open_item(&m, BLOCK_ENTRY, rest, line + n);
                else if ((rest = after_word(line, n, submenus)) && line[n - 1] == '{')
                        open_item(&m, BLOCK_SUBMENU, rest, line + n);
                else if (line[n - 1] == '{')
                        open_block(&m, BLOCK_OTHER);
                else if (n == 1 && *line == '}') {
                        if (close_block(&m))
                                break;
                } else if (m.here)
                        add_initrd(&found, line, n);
        }
        *ret_there = m.here;
        return finish(&found, ret);
}

/* The last "set default=" that names something; @ret is empty if there is none. */
static void read_default(const char *config, const char *saved, char ret[static WORD_MAX]) {
        ret[0] = 0;
        for (const char *p = config; *p;) {
                char word[WORD_MAX];
                size_t n;
                const char *line = next_line(&p, &n), *end = line + n, *value;

                if (!next_word(&line, end, word) || !streq(word, "set") || !next_word(&line, end, word) ||
                                !(value = startswith(word, "default=")))
                        continue;
                if (streq(value, "${saved_entry}"))
                        (void) snprintf(ret, WORD_MAX, "%.*s", (int) WORD_MAX - 1, strempty(saved));
                else if (!strchr(value, '$'))
                        (void) snprintf(ret, WORD_MAX, "%s", value);
        }
}

int boot_default_saved(const char *env, char **ret) {
        for (const char *p = strempty(env); *p;) {
                size_t n;
                const char *line = next_line(&p, &n), *value = startswith(line, "saved_entry=");

                if (!value || value >= line + n)
                        continue;
                *ret = strndup(value, (size_t) (line + n - value));
                return *ret ? 1 : -ENOMEM;
        }
        return 0;
}

int boot_default_grub2(const char *config, const char *env, char **ret) {
        _cleanup_free_ char *saved = NULL;
        char wanted[WORD_MAX];
        bool there = false;
        int r = boot_default_saved(env, &saved);

        if (r < 0)
                return r;
        read_default(config, saved, wanted);
        r = wanted[0] ? find_entry(config, wanted, &there, ret) : 0;
        /* As GRUB does if there is no such entry. */
        return r < 0 || there ? r : find_entry(config, NULL, &there, ret);
}

/* --- menus whose entries begin with a line --------------------------------------------------------- */

/* The value of the last line with one of @names, cut; empty if there is none. */
static void read_value(const char *config, const char *const *names, char ret[static WORD_MAX]) {
        ret[0] = 0;
        for (const char *p = config; *p;) {
                size_t n;
                const char *line = next_line(&p, &n), *value = after_word(line, n, names), *end = line + n;

                if (value && *line != '#')
                        (void) next_word(&value, end, ret);
        }
}

int boot_default_legacy(const char *config, char **ret) {
        static const char *const defaults[] = { "default", NULL }, *const titles[] = { "title", NULL };
        _cleanup_buffer_ Buffer found = {};
        char wanted[WORD_MAX], number[24];
        unsigned long index = 0;
        bool here = false;

        read_value(config, defaults, wanted);
        /* Which one is "saved" is in another file, of no text. */
        if (wanted[0] && !is_number(wanted))
                return 0;
        for (const char *p = config; *p;) {
                size_t n;
                const char *line = next_line(&p, &n);

                if (after_word(line, n, titles)) {
                        (void) snprintf(number, sizeof(number), "%lu", index++);
                        here = streq(number, wanted[0] ? wanted : "0");
                } else if (here)
                        add_initrd(&found, line, n);
        }
        return finish(&found, ret);
}

/* "initrd=…" of the line "append …", whose paths have commas between them. */
static void add_appended(Buffer *found, const char *value, const char *end) {
        char word[WORD_MAX];

        while (next_word(&value, end, word)) {
                const char *paths = startswith(word, "initrd=");
                for (char *comma = word; paths && (comma = strchr(comma, ','));)
                        *comma = ' ';
                if (paths) {
                        buffer_add_text(found, paths);
                        buffer_add(found, " ", 1);
                }
        }
}

/* The label that "menu default" is below, or the one of "default", or the first one. */
static void read_label(const char *config, char ret[static WORD_MAX]) {
        static const char *const defaults[] = { "default", NULL }, *const labels[] = { "label", NULL },
                                 *const menus[] = { "menu", NULL };
        char label[WORD_MAX] = "", word[WORD_MAX];

        read_value(config, defaults, ret);
        for (const char *p = config; *p;) {
                size_t n;
                const char *line = next_line(&p, &n), *end = line + n, *value;

                if ((value = after_word(line, n, labels))) {
                        if (next_word(&value, end, label) && !ret[0])
                                (void) snprintf(ret, WORD_MAX, "%s", label);
                } else if ((value = after_word(line, n, menus)) && next_word(&value, end, word) &&
                                strcasecmp(word, "default") == 0)
                        (void) snprintf(ret, WORD_MAX, "%s", label);
        }
}

int boot_default_extlinux(const char *config, char **ret) {
        static const char *const labels[] = { "label", NULL }, *const appends[] = { "append", NULL };
        _cleanup_buffer_ Buffer found = {};
        char wanted[WORD_MAX], label[WORD_MAX];
        bool here = false;

        read_label(config, wanted);
        for (const char *p = config; *p;) {
                size_t n;
                const char *line = next_line(&p, &n), *end = line + n, *value;

                if ((value = after_word(line, n, labels)))
                        here = next_word(&value, end, label) && streq(label, wanted);
                else if (here && (value = after_word(line, n, appends)))
                        add_appended(&found, value, end);
                else if (here)
                        add_initrd(&found, line, n);
        }
        return finish(&found, ret);
}

/* --- files of entries ------------------------------------------------------------------------------ */

int boot_default_loader(const char *config, char **ret) {
        static const char *const names[] = { "default", NULL };
        char value[WORD_MAX];

        read_value(config, names, value);
        if (!value[0])
                return 0;
        *ret = strdup(value);
        return *ret ? 1 : -ENOMEM;
}

static bool name_is_wanted(const char *name, size_t index, const char *wanted) {
        const char *suffix = endswith(name, ".conf");
        _cleanup_free_ char *id = strndup(name, suffix ? (size_t) (suffix - name) : strlen(name)),
                            *number = strprintf("%zu", index);

        return id && number &&
                        (streq(number, wanted) || fnmatch(wanted, id, 0) == 0 ||
                                        fnmatch(wanted, name, 0) == 0);
}

static int read_entry(const char *text, char **ret) {
        _cleanup_buffer_ Buffer found = {};

        for (const char *p = text; *p;) {
                size_t n;
                const char *line = next_line(&p, &n);
                add_initrd(&found, line, n);
        }
        return finish(&found, ret);
}

int boot_default_entry(char *const *names, char *const *texts, const char *wanted, char **ret) {
        size_t n = strv_length(names), chosen = 0;

        if (n == 0)
                return 0;
        for (size_t i = n; wanted && i-- > 0;)
                if (name_is_wanted(names[i], i, wanted))
                        chosen = i;
        return read_entry(texts[chosen], ret);
}

/* --- files ------------------------------------------------------------------------------------------- */

static bool ends_with(const char *s, size_t n, const char *end, size_t end_n) {
        return end_n > 1 && n >= end_n && memcmp(s + n - end_n, end, end_n) == 0;
}

bool boot_default_is(const char *paths, const char *initramfs) {
        size_t n = strlen(initramfs);

        while (*(paths += strspn(paths, " \t"))) {
                size_t length = strcspn(paths, " \t");
                /* "($root)/initrd.img" */
                const char *path = memchr(paths, '/', length);
                size_t k = path ? length - (size_t) (path - paths) : 0;

                if (ends_with(initramfs, n, path, k) || ends_with(path, k, initramfs, n))
                        return true;
                paths += length;
        }
        return false;
}

bool boot_sector_starts(const void *sector) {
        const unsigned char *bytes = sector;

        if (bytes[510] != 0x55 || bytes[511] != 0xaa)
                return false;
        for (size_t i = 0; i < 440; i++)
                if (bytes[i] != 0)
                        return true;
        return false;
}
