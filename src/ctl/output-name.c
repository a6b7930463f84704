/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/string-util.h"
#include "ctl/output-name.h"

/* The first row of a format is the end that an output gets. */
static const struct {
        const char *end, *format;
} formats[] = { { ".qcow2", "qcow2" }, { ".raw", "raw" }, { ".img", "raw" }, { ".vmdk", "vmdk" },
        { ".ova", "ova" }, { ".ovf", "ovf" } };

/* Other ends of a source's name, which an output's name does not keep. */
static const char *const archive_ends[] = { ".gz", ".xz", ".bz2", ".zst", ".zip", ".7z" };
static const char *const image_ends[] = { ".qcow2", ".raw", ".img", ".vmdk", ".vdi", ".vhd", ".vhdx", ".hdd",
        ".hds", ".qcow", ".ova", ".ovf", ".tar" };

const char *output_format_of_name(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                if (endswith(path, formats[i].end))
                        return formats[i].format;
        return NULL;
}

/* @n without one of the ends, if something is left then. */
static size_t without_end(const char *name, size_t n, const char *const *ends, size_t n_ends) {
        for (size_t i = 0; i < n_ends; i++) {
                size_t k = strlen(ends[i]);

                if (n > k && strncasecmp(name + n - k, ends[i], k) == 0)
                        return n - k;
        }
        return n;
}

/* The last component of @source, without slashes behind it and without its ends. */
static const char *stem(const char *source, size_t *ret_n) {
        size_t n = strlen(source);
        const char *name;

        while (n > 0 && source[n - 1] == '/')
                n--;
        for (name = source + n; name > source && name[-1] != '/';)
                name--;
        n -= (size_t) (name - source);
        n = without_end(name, n, archive_ends, ELEMENTSOF(archive_ends));
        *ret_n = without_end(name, n, image_ends, ELEMENTSOF(image_ends));
        return name;
}

int output_name(const char *directory, const char *source, const char *tail, const char *format,
                char **ret) {
        const char *slash = endswith(directory, "/") ? "" : "/", *name, *end = NULL;
        char *path;
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(formats) && !end; i++)
                if (streq(formats[i].format, format))
                        end = formats[i].end;
        if (!end)
                return -EINVAL;
        name = stem(source, &n);
        if (n == 0 || strncmp(name, "..", n) == 0)
                return -ENODATA;
        path = strprintf("%s%s%.*s%s%s", directory, slash, (int) n, name, tail, end);
        if (!path)
                return -ENOMEM;
        *ret = path;
        return 0;
}
