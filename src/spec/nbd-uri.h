/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* NBD URIs as nbd_connect_uri(3) and https://github.com/NetworkBlockDevice/nbd/blob/master/doc/uri.md have
 * them, without what would let a URI name files of this machine. Parsed by the same parser as libnbd's, so
 * that both see the same URI. */

#include "basic/macro.h"

typedef struct NbdUri {
        bool tls; /* nbds, nbds+unix */
        char *socket; /* +unix: absolute path; else NULL */
        char *host; /* else: name or address, without [] */
        unsigned port; /* 10809 if not given */
        char *user; /* for TLS with a pre-shared key, or NULL */
        char *export_name; /* "" for the default one */
} NbdUri;

void nbd_uri_done(NbdUri *u);

/* 0; -EINVAL with *ret_error, "must …", which never quotes the URI (caller frees); -ENOMEM. */
int nbd_uri_parse(const char *uri, NbdUri *ret, char **ret_error);
