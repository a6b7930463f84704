/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/ext-state.h"

#include <stdio.h>

#include "basic/string-util.h"

void ext_state_add(ExtState *s, const char *name, const char *value) {
        size_t used = strlen(s->counts);

        if (streq(name, "Filesystem features"))
                s->not_unmounted = strstr(value, "needs_recovery");
        else if (streq(name, "Filesystem state")) {
                s->errors = strstr(value, "with errors");
                s->unclean = startswith(value, "not clean");
        } else if (streq(name, "First orphan inode"))
                s->orphans = !streq(value, "0");
        else if (streq(name, "Free blocks") || streq(name, "Free inodes"))
                snprintf(s->counts + used, sizeof(s->counts) - used, "%s ", value);
}

bool ext_state_is_clean(const ExtState *s) {
        return !s->not_unmounted && !s->errors && !s->unclean && !s->orphans;
}

bool ext_state_equal(const ExtState *a, const ExtState *b) {
        return a->not_unmounted == b->not_unmounted && a->errors == b->errors && a->unclean == b->unclean &&
                        a->orphans == b->orphans && streq(a->counts, b->counts);
}

const char *ext_state_text(const ExtState *s) {
        return s->errors                   ? "with errors"
                        : s->not_unmounted ? "not unmounted, its journal not replayed"
                        : s->unclean       ? "not unmounted"
                        : s->orphans       ? "with deleted files"
                                           : "clean";
}
