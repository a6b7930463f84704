/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The policy of SELinux of a guest, and its configuration. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "guest/file-contexts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *file = NULL, *directory = NULL,
                            *mode = NULL;

        if (!text)
                return 0;
        /* They become attributes of files, and the latter a part of a path. */
        if (file_contexts_find(text, "/etc/fstab", false, &file) > 0 && strpbrk(file, " \n<"))
                abort();
        if (file_contexts_find(text, "/etc/systemd/network", true, &directory) > 0 && isempty(directory))
                abort();
        mode = selinux_config_value(text, "SELINUXTYPE");
        if (mode && strpbrk(mode, "/.\n"))
                abort();
        return 0;
}
