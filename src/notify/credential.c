/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/credential.h"

#include <fcntl.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"

int credential_read(const char *directory, const char *name, WebhookSecrets *ret) {
        _cleanup_free_ char *path = strprintf("%s/webhooks_%s", directory, name), *text = NULL;
        size_t size = 0;
        int r;

        if (strchr(name, '/'))
                return -EBADMSG;
        if (!path)
                return -ENOMEM;
        r = read_file_at(AT_FDCWD, path, WEBHOOK_SECRETS_MAX, &text, &size);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        r = webhook_secrets_parse(text, size, ret);
        explicit_bzero(text, size);
        return r;
}
