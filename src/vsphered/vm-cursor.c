/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/vm-cursor.h"

#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"

void vm_cursor_done(VmCursor *c) {
        free(c->id);
        free(c->path);
        *c = (VmCursor){};
}

int vm_cursor_parse(const char *text, VmCursor *ret) {
        _cleanup_vm_cursor_ VmCursor c = {};
        _cleanup_free_ char *number = NULL;
        const char *colon = strchr(text, ':'), *blank = colon ? strchr(colon, ' ') : NULL;
        int r;

        if (!*text) {
                *ret = (VmCursor){};
                return 0;
        }
        if (!blank)
                return -EINVAL;
        number = strndup(text, (size_t) (colon - text));
        c.id = strndup(colon + 1, (size_t) (blank - colon - 1));
        c.path = strdup(blank + 1);
        if (!number || !c.id || !c.path)
                return -ENOMEM;
        r = parse_uint64(number, &c.read_at);
        if (r < 0 || c.read_at == 0)
                return -EINVAL;
        *ret = c;
        c = (VmCursor){};
        return 0;
}

char *vm_cursor_format(usec_t read_at, const char *id, const char *path) {
        return strprintf("%" PRIu64 ":%s %s", read_at, strempty(id), strempty(path));
}

int vm_place_compare(const char *path_a, const char *id_a, const char *path_b, const char *id_b) {
        int c = strcmp(strempty(path_a), strempty(path_b));

        return c != 0 ? c : strcmp(strempty(id_a), strempty(id_b));
}
