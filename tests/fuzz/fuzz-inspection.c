/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "spec/inspection.h"
#include "json/json-table.h"

/* What is accepted has the four members, and is accepted again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *found = NULL, *same = NULL;
        _cleanup_free_ char *text = NULL;

        if (inspection_decode((const char *) data, size, &found) < 0)
                return 0;
        text = json_dumps(found, JSON_COMPACT);
        if (!text || json_object_size(found) != 4 || inspection_decode(text, strlen(text), &same) < 0 ||
                        !json_equal(found, same))
                abort();
        return 0;
}
