/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The serial console of a guest that is started, in pieces of the size in the first byte. */

#include "fuzz.h"
#include "hosts/boot-watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_boot_watch_ BootWatch *w = boot_watch_new(0, 1, 1);
        _cleanup_kvm_boot_ KvmBoot *b = NULL, *again = NULL;
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *text = NULL;

        if (!w || size < 2)
                return 0;
        for (size_t at = 1, n = data[0] + 1; at < size; at += n)
                if (boot_watch_console(w, (const char *) data + at, MIN(n, size - at), 0) < 0)
                        abort();
        if (boot_watch_judge(w, 1, &b) != 1)
                abort();
        /* The other programs can read it. */
        object = kvm_boot_to_json(b);
        text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        if (!text || kvm_boot_decode(text, strlen(text), &again) < 0)
                abort();
        return 0;
}
