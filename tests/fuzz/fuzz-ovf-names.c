/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names that the manager looks for beside an OVF: whatever the text, none leads out of the directory. */

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "fuzz.h"
#include "image/ovf-names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_strv_free_ char **names = NULL;

        (void) ovf_is_descriptor((const char *) data, size);
        if (ovf_names((const char *) data, size, &names) < 0)
                return 0;
        STRV_FOREACH(name, names) {
                _cleanup_free_ char *path = strprintf("/%s/", *name);

                if (!path)
                        return 0;
                if (isempty(*name) || (*name)[0] == '/' || !utf8_is_valid(*name) || strstr(path, "/../") ||
                                strstr(path, "//") || strstr(path, "/./"))
                        abort();
        }
        return 0;
}
