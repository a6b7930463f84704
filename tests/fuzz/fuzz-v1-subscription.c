/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients of the v1 WebSocket send. */

#include <stdio.h>

#include "api/v1/v1-subscription.h"
#include "basic/string-util.h"
#include "fuzz.h"

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        V1Subscription s = {};
        int r = v1_subscription_decode((const char *) data, size, &s, &errors);

        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        check(r == 0 || !s.job_ids, "nothing comes with a refusal");
        check(s.topics < 1u << _V1_TOPIC_MAX, "only topics that there are");
        v1_subscription_done(&s);
        return 0;
}
