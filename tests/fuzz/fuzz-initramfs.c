/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An initramfs of a guest, and the lists of its kernel's modules. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "guest/driver-list.h"
#include "guest/initramfs-list.h"
#include "guest/module-set.h"

FUZZ_LIMIT_RESERVATIONS

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_initramfs_list_ InitramfsList list = {};
        _cleanup_module_set_ ModuleSet set = {};

        if (!text || initramfs_list_read((const char *) data, size, &list) < 0 ||
                        module_set_find(text, text, list.modules, disk_drivers, &set) < 0)
                return 0;
        STRV_FOREACH(file, set.files)
                if (**file == '/' || strstr(*file, ".."))
                        abort();
        return 0;
}
