/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shared/webhook.h"

/* The secrets of a webhook out of $CREDENTIALS_DIRECTORY, where systemd has put them
 * (LoadCredentialEncrypted= of a directory). 0; -ENOENT: we were not given such a credential; -EBADMSG: it
 * is malformed. */
int credential_read(const char *directory, const char *name, WebhookSecrets *ret);
