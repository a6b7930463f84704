/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which certificate of a server is accepted: one that the CAs of the system have signed, one that given CAs
 * have signed, or exactly one, which is known by its thumbprint. There is no way to accept any certificate.
 * For libcurl(3) with OpenSSL. */

#include <curl/curl.h>

#include "basic/macro.h"

/* Of a SHA-256 thumbprint, "AA:BB:…", with its NUL */
#define TLS_THUMBPRINT_SIZE 96

typedef struct TlsTrust {
        unsigned char digest[32];
        size_t digest_size; /* 32 for SHA-256, 20 for SHA-1, 0 if no thumbprint is given */
        char *ca; /* PEM, or NULL: the CAs of the system */
        char seen[TLS_THUMBPRINT_SIZE]; /* SHA-256 of the last certificate that a server has sent; "": none */
        char seen_sha1[TLS_THUMBPRINT_SIZE]; /* SHA-1 of the same */
} TlsTrust;

void tls_trust_done(TlsTrust *t);
#define _cleanup_tls_trust_ _cleanup_(tls_trust_done)

/* @thumbprint: hexadecimal digits with or without colons, SHA-256, or SHA-1 for compatibility with other
 * programs. If it is given, neither @ca, nor the name, nor the dates of the certificate matter. Both may
 * be NULL or empty. 0, -EINVAL for what is no thumbprint or no certificate in PEM, or -ENOMEM. */
int tls_trust_init(TlsTrust *t, const char *ca, const char *thumbprint);

/* Makes @easy verify with @t, which must live as long as @easy. TLS 1.2 at least. 0 or -EIO. */
int tls_trust_apply(TlsTrust *t, CURL *easy);
/* True if @code says that the certificate was not accepted; @seen then has its thumbprint. */
bool tls_trust_refused(const TlsTrust *t, CURLcode code) _pure_;
