/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A raw disk that is a file of an HTTP server, read by ranges, several at a time. */

#include "engine/endpoint.h"

typedef struct HttpOptions {
        const char *url;
        uint64_t size; /* that the file must have */
        const char *label;
        const char *cookie; /* for the header Cookie, a secret; NULL: none */
        const char *ca, *thumbprint; /* that verify the certificate, see tls_trust_init() */
        bool plain; /* http://, without TLS */
        const char *user_agent; /* or NULL */
        unsigned connections; /* 0: 8 */
        usec_t retry_delay; /* before the first retry, doubled with each; 0: 1 s */
        int cancel_fd; /* for opening; negative: none */
        /* The server does not accept @old (NULL: none) any more: gives another cookie in *ret, which the
         * endpoint frees. Blocks. Negative errno with *ret_error (caller frees). May be NULL. */
        int (*renew)(void *userdata, const char *old, char **ret, char **ret_error);
        void *userdata;
} HttpOptions;

/* Asks for the first bytes. -EOPNOTSUPP: the server does not answer with ranges; -ENOENT: there is no such
 * file; -EACCES: it may not be read; -EPROTO: it is another file; -EKEYREJECTED: the certificate is not
 * accepted; -ECANCELED; and what connecting gives. On error *ret_error is a text that the caller frees.
 *
 * A connection that breaks is made again, and so is the session, once; a server that is busy (503, 429) is
 * asked again after 1, 2, 4 … 60 seconds. What has been received is not requested again. Requests that fail
 * then complete with: -EACCES (401, 403), -ETIMEDOUT (busy), -ECONNRESET, -ECONNREFUSED (connection), -EIO
 * (other errors of the server), -EPROTO (404, 416, a wrong answer). */
int endpoint_http_new(const HttpOptions *options, Endpoint **ret, char **ret_error);
