/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-settings.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "spec/job-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(agent_settings_freep) AgentSettings *s = NULL;
        _cleanup_free_ char *error = NULL;
        int r = agent_settings_parse("f", (const char *) data, size, &s, &error);

        if (r == -EBADMSG && !startswith(error, "f:"))
                abort();
        if (r < 0)
                return 0;
        if (!s->server.url ||
                        (!startswith(s->server.url, "http://") && !startswith(s->server.url, "https://")) ||
                        endswith(s->server.url, "/") || s->worker.max_jobs < 1 || s->worker.heartbeat == 0 ||
                        (s->worker.id && !job_id_is_valid(s->worker.id)) || s->api_key)
                abort();
        return 0;
}
