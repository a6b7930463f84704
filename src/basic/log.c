/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"

static int max_level = LOG_INFO;
static const char *prefix;
static bool to_journal;

int log_level_from_string(const char *s) {
        static const char *const names[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info",
                "debug" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(s, names[i]))
                        return (int) i;
        return streq(s, "error") ? LOG_ERR : -EINVAL;
}

void log_set_max_level(int level) {
        max_level = level;
}

void log_open(const char *program) {
        const char *level = getenv("HYPER_LOG_LEVEL");

        prefix = program;
        to_journal = getenv("JOURNAL_STREAM") != NULL;
        if (level && log_level_from_string(level) >= 0)
                max_level = log_level_from_string(level);
}

int log_internal(int level, int error, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        int saved = errno;
        va_list ap;

        error = abs(error);
        if (level <= max_level) {
                errno = error;
                va_start(ap, format);
                text = vstrprintf(format, ap);
                va_end(ap);
                /* One write per line, so that lines of several processes do not mix. */
                if (to_journal)
                        dprintf(STDERR_FILENO, "<%d>%s\n", level, text ? text : "Out of memory.");
                else
                        dprintf(STDERR_FILENO, "%s%s%s\n", strempty(prefix), prefix ? ": " : "",
                                        text ? text : "Out of memory.");
        }
        errno = saved;
        return -error;
}
