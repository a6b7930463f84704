/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/terminal.h"
#include "spec/job-state.h"

static size_t columns_from_environment(void) {
        const char *e = getenv("COLUMNS");
        unsigned n;

        return e && parse_unsigned(e, &n) >= 0 && n > 0 && n < 10000 ? n : 0;
}

void terminal_query(int fd, Terminal *ret) {
        const char *term = getenv("TERM");
        struct winsize size = { 0 };

        *ret = (Terminal){
                .tty = isatty(fd),
                .utf8 = streq(nl_langinfo(CODESET), "UTF-8"),
        };
        if (!ret->tty)
                return;
        ret->cursor = !isempty(term) && !streq(term, "dumb");
        ret->colour = ret->cursor && isempty(getenv("NO_COLOR"));
        if (ioctl(fd, TIOCGWINSZ, &size) < 0)
                size = (struct winsize){ 0 };
        ret->width = columns_from_environment();
        if (ret->width == 0)
                ret->width = size.ws_col > 0 ? size.ws_col : 80;
        ret->height = size.ws_row > 0 ? size.ws_row : 24;
}

const char *colour_on(const Terminal *t, Colour c) {
        static const char *const sequences[_COLOUR_MAX] = {
                [COLOUR_NONE] = "",
                [COLOUR_RED] = "\x1b[0;1;31m",
                [COLOUR_GREEN] = "\x1b[0;1;32m",
                [COLOUR_YELLOW] = "\x1b[0;1;33m",
                [COLOUR_BLUE] = "\x1b[0;1;34m",
                [COLOUR_GREY] = "\x1b[0;2m",
                [COLOUR_BOLD] = "\x1b[0;1m",
        };

        return t->colour ? sequences[c] : "";
}

const char *colour_off(const Terminal *t, Colour c) {
        return t->colour && c != COLOUR_NONE ? "\x1b[0m" : "";
}

Colour colour_of_state(const char *state) {
        switch (job_state_from_string(state)) {
        case JOB_RUNNING:
                return COLOUR_BLUE;
        case JOB_COMPLETED:
                return COLOUR_GREEN;
        case JOB_FAILED:
                return COLOUR_RED;
        case JOB_RETRYING:
                return COLOUR_YELLOW;
        case JOB_CANCELLED:
                return COLOUR_GREY;
        default:
                return COLOUR_NONE;
        }
}
