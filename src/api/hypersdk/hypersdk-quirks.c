/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-quirks.h"
#include "basic/string-util.h"

/* hyper-api(7), "Clients that differ", lists the same. */
static const struct {
        const char *user_agent; /* what its User-Agent begins with */
        const char *body_key; /* a key that it always sends; NULL: the User-Agent is enough */
} quirks[_QUIRK_MAX] = {
        /* The published command-line tool, in Go: it takes any status but 200 for a failure, although the
         * job runs. */
        [QUIRK_SUBMIT_IS_200] = { "Go-http-client/", NULL },
        /* The Python SDK: it decodes the answer as a schedule. Other programs that use the same HTTP
         * library read the published {"message", "schedule": {…}}; only the SDK sends its own run_count. */
        [QUIRK_SCHEDULE_IS_TEXT] = { "python-requests/", "run_count" },
};

bool hypersdk_quirk_applies(HypersdkQuirk quirk, const char *user_agent, const json_t *body) {
        if (!user_agent || !startswith(user_agent, quirks[quirk].user_agent))
                return false;
        return !quirks[quirk].body_key || json_object_get(body, quirks[quirk].body_key);
}

unsigned hypersdk_submit_status(SubmitStatus setting, const char *user_agent) {
        switch (setting) {
        case SUBMIT_STATUS_200:
                return 200;
        case SUBMIT_STATUS_201:
                return 201;
        default:
                return hypersdk_quirk_applies(QUIRK_SUBMIT_IS_200, user_agent, NULL) ? 200 : 201;
        }
}
