/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "basic/string-util.h"
#include "ctl/table.h"
#include "ctl/text.h"

typedef struct Cell {
        char *text;
        Colour colour;
} Cell;

struct Table {
        const TableColumn *columns;
        size_t n_columns;
        Cell *cells;
        size_t n_cells, n_allocated;
};

#define GAP 1 /* blanks between columns */

Table *table_new(const TableColumn *columns, size_t n_columns) {
        Table *t = new0(Table, 1);

        if (t)
                *t = (Table){ .columns = columns, .n_columns = n_columns };
        return t;
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i].text);
        free(t->cells);
        free(t);
        return NULL;
}

int table_add(Table *t, const char *text, Colour colour) {
        char *copy;

        if (!GREEDY_REALLOC(t->cells, t->n_allocated, t->n_cells + 1))
                return -ENOMEM;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        t->cells[t->n_cells++] = (Cell){ .text = copy, .colour = colour };
        return 0;
}

int table_addf(Table *t, Colour colour, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        return text ? table_add(t, text, colour) : -ENOMEM;
}

size_t table_rows(const Table *t) {
        return t->n_cells / t->n_columns;
}

/* The width of a line, where columns that are left out have the width 0; @shortened: if all columns but the
 * first are as narrow as they may be. */
static size_t line_width(const Table *t, const size_t *widths, bool shortened) {
        size_t total = 0;

        for (size_t c = 0; c < t->n_columns; c++) {
                size_t least = c > 0 && shortened ? t->columns[c].shrink_to : 0;

                if (!t->columns[c].optional || widths[c] > 0)
                        total += (c > 0 ? GAP : 0) + (least > 0 ? MIN(widths[c], least) : widths[c]);
        }
        return total;
}

/* Makes columns narrower until the line fits, from the right: what identifies a row stands on the left. */
static void shrink(const Table *t, size_t *widths, size_t limit) {
        for (size_t c = t->n_columns; c-- > 0 && line_width(t, widths, true) > limit;)
                if (t->columns[c].optional)
                        widths[c] = 0;
        size_t total = line_width(t, widths, false);

        for (size_t c = t->n_columns; c-- > 0 && total > limit;) {
                size_t least = t->columns[c].shrink_to, give;

                if (least == 0 || widths[c] <= least)
                        continue;
                give = MIN(widths[c] - least, total - limit);
                widths[c] -= give;
                total -= give;
        }
}

static void measure(
                const Table *t, const Terminal *terminal, bool legend, char *const *texts, size_t *widths) {
        for (size_t c = 0; c < t->n_columns; c++)
                widths[c] = legend ? text_width(t->columns[c].title) : 0;
        for (size_t i = 0; i < t->n_cells; i++)
                widths[i % t->n_columns] = MAX(widths[i % t->n_columns], text_width(texts[i]));
        if (terminal->width > 0)
                shrink(t, widths, terminal->width);
}

/* One cell; the last one of a line has no blanks behind it. */
static int print_cell(const Table *t, FILE *f, const Terminal *terminal, size_t column, const char *text,
                Colour colour, size_t width) {
        _cleanup_free_ char *fitted = text_fit(text, width, terminal->utf8);
        bool right = t->columns[column].right, last = column == t->n_columns - 1;
        size_t used, pad;

        if (!fitted)
                return -ENOMEM;
        if (width == 0 && t->columns[column].optional)
                return 0;
        used = text_width(fitted);
        pad = width > used ? width - used : 0;
        fprintf(f, "%*s%s%s%s%*s%s", right ? (int) pad : 0, "", colour_on(terminal, colour), fitted,
                        colour_off(terminal, colour), right || last ? 0 : (int) pad, "", last ? "\n" : " ");
        return 0;
}

static int print_lines(const Table *t, FILE *f, const Terminal *terminal, bool legend, char *const *texts,
                const size_t *widths) {
        int r;

        for (size_t c = 0; legend && c < t->n_columns; c++) {
                r = print_cell(t, f, terminal, c, t->columns[c].title, COLOUR_BOLD, widths[c]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < t->n_cells; i++) {
                size_t c = i % t->n_columns;

                r = print_cell(t, f, terminal, c, texts[i], t->cells[i].colour, widths[c]);
                if (r < 0)
                        return r;
        }
        return fflush(f) == 0 && !ferror(f) ? 0 : -EIO;
}

int table_print(const Table *t, FILE *f, const Terminal *terminal, bool legend) {
        _cleanup_strv_free_ char **texts = new0(char *, t->n_cells + 1);
        _cleanup_free_ size_t *widths = new0(size_t, t->n_columns);

        if (!texts || !widths)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_cells; i++) {
                texts[i] = text_escape(t->cells[i].text, terminal->utf8);
                if (!texts[i])
                        return -ENOMEM;
        }
        measure(t, terminal, legend, texts, widths);
        return print_lines(t, f, terminal, legend, texts, widths);
}
