/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/progress-bar.h"
#include "ctl/text.h"

#define BAR_MIN 10
#define BAR_MAX 40
#define PHASE_WIDTH 14 /* the longest, so that the bar does not jump about */

usec_t progress_time_left(const Progress *p) {
        double seconds;

        if (p->total == 0 || p->rate == 0 || p->done > p->total)
                return USEC_INFINITY;
        seconds = (double) (p->total - p->done) / (double) p->rate;
        /* Beyond 100 days the figure says nothing. */
        return seconds > 8640000 ? USEC_INFINITY : (usec_t) (ceil(seconds) * (double) USEC_PER_SEC);
}

/* The filled part goes in eighths of a column where the terminal has UTF-8. */
static char *draw_bar(double percent, size_t width, bool utf8) {
        static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
        size_t units = (size_t) (percent / 100 * (double) width * 8), full = units / 8, part = units % 8;
        char *bar = NULL;
        size_t size;
        FILE *f = open_memstream(&bar, &size);

        if (!f)
                return NULL;
        fputc('[', f);
        for (size_t i = 0; i < full; i++)
                fputs(utf8 ? "█" : "#", f);
        if (utf8 && full < width)
                fputs(eighths[part], f);
        for (size_t i = full + (utf8 && part > 0 && full < width); i < width; i++)
                fputc(utf8 ? ' ' : '.', f);
        fputc(']', f);
        if (fclose(f) != 0)
                bar = mfree(bar);
        return bar;
}

/* The figures behind the bar, each as an own piece, most important first. */
static int make_figures(const Progress *p, char ***ret) {
        _cleanup_strv_free_ char **pieces = NULL;
        char a[BYTES_SIZE], b[BYTES_SIZE], span[TIMESPAN_SIZE];
        usec_t left = progress_time_left(p);
        int r = 0;

        if (p->percent >= 0)
                r = strv_extendf(&pieces, "%5.1f%%", MIN(p->percent, 100));
        else
                r = strv_extend(&pieces, "   ...");
        if (r >= 0 && p->total > 0)
                r = strv_extendf(&pieces, "%s of %s", format_bytes(a, p->done), format_bytes(b, p->total));
        if (r >= 0 && p->rate > 0)
                r = strv_extendf(&pieces, "%s/s", format_bytes(a, p->rate));
        if (r >= 0 && left != USEC_INFINITY && left > 0)
                r = strv_extendf(&pieces, "%s left", format_timespan(span, left));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pieces);
        return 0;
}

char *progress_line(const Progress *p, size_t width, bool utf8) {
        _cleanup_free_ char *front = NULL, *bar = NULL, *behind = NULL;
        _cleanup_strv_free_ char **figures = NULL;
        size_t used, bar_width;

        front = p->label ? strprintf("%s  %-*s ", p->label, PHASE_WIDTH, strempty(p->phase))
                         : strprintf("%-*s ", PHASE_WIDTH, strempty(p->phase));
        if (!front || make_figures(p, &figures) < 0)
                return NULL;

        /* The bar gives way last but for the percentage; figures go from the end. */
        for (;;) {
                free(behind);
                behind = strv_join(figures, "  ");
                if (!behind)
                        return NULL;
                used = text_width(front) + text_width(behind) + 3;
                if (used + BAR_MIN <= width || strv_length(figures) == 1)
                        break;
                figures[strv_length(figures) - 1] = mfree(figures[strv_length(figures) - 1]);
        }
        if (p->percent < 0 || used + BAR_MIN > width) {
                _cleanup_free_ char *line = strprintf("%s%s", front, behind);

                if (!line || text_width(line) <= width)
                        return TAKE_PTR(line);
                return strdup(text_width(figures[0]) <= width ? figures[0] : "");
        }
        bar_width = MIN(width - used, (size_t) BAR_MAX);
        bar = draw_bar(MIN(p->percent, 100), bar_width, utf8);
        return bar ? strprintf("%s%s %s", front, bar, behind) : NULL;
}
