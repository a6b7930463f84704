/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-template.h"
#include "basic/string-util.h"

#define PLACEHOLDER "{job_id}"
#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

int job_template_fill(const char *text, const char *job_id, char **ret) {
        _cleanup_free_ char *filled = strdup("");

        for (const char *p = text; filled;) {
                const char *place = strstr(p, PLACEHOLDER);
                char *next = place ? strprintf("%s%.*s%s", filled, (int) (place - p), p, job_id)
                                   : strprintf("%s%s", filled, p);

                free(filled);
                filled = next;
                if (!place)
                        break;
                p = place + strlen(PLACEHOLDER);
        }
        if (!filled)
                return -ENOMEM;
        *ret = TAKE_PTR(filled);
        return 0;
}

int job_template_check(const char *text, char **ret_placeholder) {
        for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
                size_t n = strspn(p + 1, WORD);

                if (n == 0 || p[1 + n] != '}' || startswith(p, PLACEHOLDER))
                        continue;
                *ret_placeholder = strndup(p, n + 2);
                return *ret_placeholder ? -EBADMSG : -ENOMEM;
        }
        return 0;
}
