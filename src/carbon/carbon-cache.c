/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "carbon/carbon-cache.h"

#include <fcntl.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "carbon/carbon-answer.h"
#include "json/json-table.h"

static const char file_name[] = "data.json";

int carbon_cache_read(const char *directory, CarbonData **ret) {
        _cleanup_free_ char *path = directory ? strprintf("%s/%s", directory, file_name) : NULL,
                            *text = NULL, *error = NULL;
        int r;

        if (!path)
                return directory ? -ENOMEM : 0;
        r = read_file_at(AT_FDCWD, path, CARBON_TEXT_MAX, &text, NULL);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = carbon_data_decode(text, strlen(text), ret, &error);
        return r == -EBADMSG || r == -EFBIG ? 0 : r;
}

int carbon_cache_write(const char *directory, const CarbonData *data) {
        _cleanup_free_ char *path = directory ? strprintf("%s/%s", directory, file_name) : NULL,
                            *text = NULL;
        _cleanup_json_ json_t *json = NULL;

        if (!path)
                return directory ? -ENOMEM : 0;
        json = carbon_data_to_json(data);
        text = json ? json_dumps(json, JSON_COMPACT) : NULL;
        return text ? write_file_atomic_at(AT_FDCWD, path, text, strlen(text), 0600) : -ENOMEM;
}

/* Of the two files that systemd may have made of it, the encrypted one wins, as for the certificate. */
int carbon_token_read(const char *directory, char **ret) {
        static const char *const names[] = { "hyper.carbon-token", "hyper.carbon-token.plain" };

        for (size_t i = 0; directory && i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", directory, names[i]), *text = NULL;
                int r = path ? read_file_at(AT_FDCWD, path, CARBON_TOKEN_MAX, &text, NULL) : -ENOMEM;

                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                text[strcspn(text, "\r\n")] = '\0';
                if (isempty(text))
                        continue;
                for (const char *p = text; *p; p++)
                        if (*p < ' ' || *p > '~')
                                return -EBADMSG;
                *ret = TAKE_PTR(text);
                return 0;
        }
        return 0;
}
