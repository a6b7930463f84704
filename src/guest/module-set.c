/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/module-set.h"
#include "basic/string-util.h"
#include "guest/initramfs-list.h"

#define FILES_MAX 256u

void module_set_done(ModuleSet *s) {
        s->missing = strv_free(s->missing);
        s->unavailable = strv_free(s->unavailable);
        s->files = strv_free(s->files);
}

/* The line of @text whose first path is the module @name: "path: path path". 1, 0 if there is none, or
 * -ENOMEM. */
static int find_line(const char *text, const char *name, const char **ret, size_t *ret_length) {
        for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
                size_t n = strcspn(p, ":\n");
                /* Most lines are of other modules. */
                _cleanup_free_ char *module = n > strlen(name) ? module_name(p, n) : NULL;

                if (!module || !streq(module, name))
                        continue;
                *ret = p;
                *ret_length = strcspn(p, "\n");
                return 1;
        }
        return 0;
}

/* A path below the directory of modules. */
static bool path_is_plain(const char *p, size_t n) {
        return n > 0 && n < 1024 && *p != '/' && !memmem(p, n, "..", 2);
}

static int add_file(ModuleSet *s, const char *path, size_t n) {
        _cleanup_free_ char *file = strndup(path, n);

        if (!file)
                return -ENOMEM;
        if (!path_is_plain(path, n) || strv_length(s->files) >= FILES_MAX || strv_contains(s->files, file))
                return 0;
        return strv_consume(&s->files, TAKE_PTR(file));
}

/* A module and all that it needs. */
static int add_line(ModuleSet *s, const char *line, size_t length) {
        const char *end = line + length;

        for (const char *p = line; p < end;) {
                size_t n = MIN(strcspn(p, ": \n"), (size_t) (end - p));
                int r = n > 0 ? add_file(s, p, n) : 0;

                if (r < 0)
                        return r;
                p += n;
                p += p < end;
        }
        return 0;
}

static int find_one(
                ModuleSet *s, const char *dep, const char *builtin, char *const *present, const char *name) {
        const char *line;
        size_t n;

        if (strv_contains(present, name))
                return 0;
        int r = find_line(builtin, name, &line, &n);
        if (r != 0)
                return MIN(r, 0);
        r = find_line(dep, name, &line, &n);
        if (r == 0)
                return strv_extend(&s->unavailable, name);
        if (r > 0)
                r = strv_extend(&s->missing, name);
        return r < 0 ? r : add_line(s, line, n);
}

int module_set_find(const char *dep, const char *builtin, char *const *present, const char *const *wanted,
                ModuleSet *ret) {
        _cleanup_module_set_ ModuleSet s = {};

        for (const char *const *w = wanted; *w; w++) {
                int r = find_one(&s, dep, builtin, present, *w);
                if (r < 0)
                        return r;
        }
        *ret = s;
        s = (ModuleSet){};
        return 0;
}
