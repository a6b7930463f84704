/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(settings_freep) Settings *s = settings_new(), *again = settings_new();
        _cleanup_free_ char *error = NULL, *text = NULL;
        _cleanup_(json_decrefp) json_t *json = NULL;

        if (!s || !again)
                return 0;
        if (settings_parse("f", (const char *) data, size, s, &error) < 0) {
                if (!startswith(error, "f:"))
                        abort();
                return 0;
        }
        /* What is in force can be shown, and what is shown is a file, but for the secrets of webhooks. */
        json = settings_to_json(s);
        (void) json_object_del(json, "webhooks");
        text = json ? json_dumps(json, 0) : NULL;
        if (!text || settings_parse("f", text, strlen(text), again, &error) < 0)
                abort();
        return 0;
}
