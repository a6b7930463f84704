/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/roots.h"
#include "basic/string-util.h"

size_t roots_order(char **roots) {
        size_t n = 0;

        for (size_t i = 0; roots[i]; i++) {
                if (strstr(roots[i], "/.snapshots/") || strstr(roots[i], "/timeshift-btrfs/"))
                        continue;
                char *root = roots[i];
                roots[i] = roots[n];
                roots[n++] = root;
        }
        return n > 0 ? n : strv_length(roots);
}
