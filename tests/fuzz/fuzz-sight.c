/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the child that looks at a file says about it, and what is made of that. The first line is the report,
 * the rest is the begin of the file. */

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "fuzz.h"
#include "job/recognize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "disk.vmdk", "disk.raw", "disk.vhd", "" };
        const uint8_t *end = memchr(data, 0, size);
        size_t n = end ? (size_t) (end - data) : size;
        _cleanup_sight_ Sight s = {};

        if (sight_parse((const char *) data, n, &s) < 0)
                return 0;
        if (s.magic && (!utf8_is_valid(s.magic) || utf8_has_control(s.magic)))
                abort();
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                Candidate c = { .name = names[i],
                        .head = (const char *) data + n,
                        .head_size = size - n,
                        .length = size };
                _cleanup_free_ char *text = NULL;

                if (recognize_judge(&s, &c, &text) != -ENOMEM && !text)
                        abort();
        }
        return 0;
}
