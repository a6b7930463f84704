/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From what an image calls its parent to the paths at which that may be. */

#include "image/image-paths.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "image/image-names.h"

/* Removes "." and ".." and doubled slashes; ".." of "/" is "/". */
static void normalize(char *path) {
        char *out = path;

        for (const char *p = path; *p;) {
                p += strspn(p, "/");
                size_t n = strcspn(p, "/");

                if (n == 2 && p[0] == '.' && p[1] == '.') {
                        while (out > path && *--out != '/')
                                ;
                } else if (n > 0 && !(n == 1 && p[0] == '.')) {
                        *out++ = '/';
                        memmove(out, p, n);
                        out += n;
                }
                p += n;
        }
        *out = 0;
}

static int add(char ***paths, const char *directory, int directory_length, const char *name) {
        _cleanup_free_ char *path = strprintf("%.*s/%s", directory_length, directory, name);
        const char *reason;

        if (!path)
                return -ENOMEM;
        normalize(path);
        if (!job_path_is_valid(path, false, &reason) || strv_contains(*paths, path))
                return 0;
        return strv_extend(paths, path);
}

/* "C:\a\b", "\\server\share", ".\b": the parts of a path of Windows. A drive or a server leads nowhere
 * here. */
static bool from_windows(char *name) {
        bool absolute = name[0] == '\\' || (name[0] && name[1] == ':');

        for (char *p = name; *p; p++)
                if (*p == '\\')
                        *p = '/';
        return absolute;
}

static bool has_protocol(const char *name) {
        size_t n = strcspn(name, ":/");

        return name[n] == ':';
}

int image_parent_paths(const char *path, const char *name, bool beside, char ***ret) {
        _cleanup_strv_free_ char **paths = NULL;
        _cleanup_free_ char *copy = strdup(name);
        int directory = (int) (strrchr(path, '/') - path), r = 0;
        bool foreign;

        if (!copy)
                return -ENOMEM;
        foreign = beside && strchr(copy, '\\') && from_windows(copy);
        if (!foreign && !has_protocol(copy) && *copy)
                r = *copy == '/' ? add(&paths, "", 0, copy) : add(&paths, path, directory, copy);
        const char *last = strrchr(copy, '/');
        if (r >= 0 && beside && last)
                r = add(&paths, path, directory, last + 1);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(paths);
        return 0;
}
