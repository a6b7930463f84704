/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The download of a file of an export lease (lease.h). Needs no session, and may run in a thread of its
 * own. */

#include "basic/macro.h"

/* Called for each piece. May block: how long the server has to wait does not matter. A negative errno
 * ends the download with it. */
typedef int (*download_func)(void *userdata, const void *data, size_t size);

typedef struct DownloadOptions {
        const char *url; /* "https://…" */
        const char *ca, *thumbprint; /* as in http/tls-trust.h */
        const char *agent; /* the ID in "hyper/VERSION (ID)" of the User-Agent, or NULL */
        int cancel_fd; /* readable when it shall end, or -1 */
        download_func sink;
        void *userdata;
} DownloadOptions;

/* Blocks until all of it was received. 0; what the sink returned; -ECANCELED; -EKEYREJECTED: the
 * certificate is not accepted; -EACCES, -ENOENT, -EBUSY or -EPROTO: the server's answer; -ECONNRESET and
 * other errors of the connection, also if the server has sent less than it said. *ret_error is the
 * reason (caller frees), or NULL. */
int download(const DownloadOptions *options, char **ret_error);
