/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is decoded keeps its promises, and reads the same after it was written again. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "job/warm-state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_warm_state_ WarmState *s = NULL, *again = NULL;

        if (warm_state_decode((const char *) data, size, &s) < 0)
                return 0;
        if (s->n_disks < 1 || s->n_disks > WARM_DISKS_MAX || isempty(s->vm))
                abort();
        for (size_t i = 0; i < s->n_disks; i++)
                if (s->disks[i].capacity < 1 || s->disks[i].capacity > (uint64_t) INT64_MAX ||
                                (s->disks[i].change_id != NULL) != warm_state_is_complete(s))
                        abort();
        _cleanup_free_ char *text = warm_state_encode(s), *same = NULL;
        if (!text || warm_state_decode(text, strlen(text), &again) < 0)
                abort();
        same = warm_state_encode(again);
        if (!same || !streq(text, same))
                abort();
        return 0;
}
