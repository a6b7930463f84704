/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The certificate of hyper-tls.socket and its private key, as the systemd credentials in which they are
 * stored (systemd-creds(1)): PEM, the chain with the certificate of the server first (RFC 8446, 4.4.2). */

#include "basic/macro.h"
#include "basic/time-util.h"

#define TLS_CREDENTIAL_CERTIFICATE "hyper.tls-certificate"
#define TLS_CREDENTIAL_KEY "hyper.tls-key"
/* Appended to the names of those that are not encrypted: both kinds can be passed to a unit (units/), and the
 * encrypted ones have precedence unless they have no text. */
#define TLS_CREDENTIAL_PLAIN ".plain"
/* Appended to the names of those that are still encrypted. If they have text, but what was decrypted is
 * missing, it could not be decrypted, and the other kind is not used instead. */
#define TLS_CREDENTIAL_ENCRYPTED ".encrypted"

#define TLS_FINGERPRINT_SIZE (32 * 3) /* "AB:CD:…" of SHA-256, with the NUL */

typedef struct TlsPair {
        char *certificate, *key; /* PEM */
        usec_t not_before, not_after; /* realtime, of the first certificate */
        char fingerprint[TLS_FINGERPRINT_SIZE];
} TlsPair;

/* Wipes the key. */
void tls_pair_done(TlsPair *p);
#define _cleanup_tls_pair_ _cleanup_(tls_pair_done)

/* Decodes both texts, which are copied, and checks that they fit each other. -EBADMSG if they are not a
 * certificate and its key; *ret_why then says what is wrong, to be freed. -ENOMEM. */
int tls_pair_from_pem(const char *certificate, const char *key, TlsPair *ret, char **ret_why);

/* Reads both from a directory of credentials. -ENOENT if neither is there; -EBADMSG as above, also if only
 * one is there; other errors of reading with *ret_why, too. */
int tls_pair_read(const char *directory, TlsPair *ret, char **ret_why);

/* -EKEYEXPIRED with *ret_why if it is not valid at @now (realtime). */
int tls_pair_check_time(const TlsPair *p, usec_t now, char **ret_why);
