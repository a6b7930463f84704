/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/image-files.h"
#include "basic/string-util.h"

/* qemu-img needs little; a qcow2 of many terabytes has tables that grow with it. */
ChildLimits image_limits(uint64_t size) {
        return (ChildLimits){
                .address_space = (UINT64_C(1) << 30) + size / 4096,
                .cpu_seconds = 300,
                .timeout = 600 * USEC_PER_SEC,
                .output_max = (size_t) 4 * 1024 * 1024,
        };
}

static int add_paths(char ***list, char *const *paths) {
        STRV_FOREACH(path, paths) {
                int r = strv_extend(list, *path);
                if (r < 0)
                        return r;
        }
        return 0;
}

int image_files(const Image *i, bool writable, unsigned rights, ParserFiles *ret) {
        _cleanup_parser_files_ ParserFiles f = { .rights = rights };

        for (const Image *k = i; k; k = k->parent) {
                int r = strv_extend(writable ? &f.write : &f.read, k->path);
                if (r >= 0)
                        r = add_paths(&f.read, k->extents);
                if (r >= 0)
                        r = add_paths(&f.read, k->written);
                if (r < 0)
                        return r;
        }
        *ret = f;
        f = (ParserFiles){};
        return 0;
}
