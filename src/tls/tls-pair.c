/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "tls/tls-pair.h"

#define PEM_SIZE_MAX ((size_t) 64 * 1024)
#define CHAIN_LENGTH_MAX 10u

typedef struct Chain {
        gnutls_x509_crt_t certificates[CHAIN_LENGTH_MAX];
        unsigned n;
} Chain;

static void chain_done(Chain *c) {
        for (unsigned i = 0; i < c->n; i++)
                gnutls_x509_crt_deinit(c->certificates[i]);
}

static void private_key_done(gnutls_x509_privkey_t *k) {
        if (*k)
                gnutls_x509_privkey_deinit(*k);
}

void tls_pair_done(TlsPair *p) {
        if (p->key)
                explicit_bzero(p->key, strlen(p->key));
        p->key = mfree(p->key);
        p->certificate = mfree(p->certificate);
}

/* Sets *ret_why, and returns @error. */
static int refuse(int error, char **ret_why, const char *what, const char *problem) {
        *ret_why = strprintf("%s %s", what, problem);
        return *ret_why ? error : -ENOMEM;
}

static int decode_chain(const char *pem, Chain *ret, char **ret_why) {
        const gnutls_datum_t data = { .data = (unsigned char *) pem, .size = (unsigned) strlen(pem) };
        int r;

        ret->n = CHAIN_LENGTH_MAX;
        r = gnutls_x509_crt_list_import(ret->certificates, &ret->n, &data, GNUTLS_X509_FMT_PEM,
                        GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
        if (r < 0) {
                ret->n = 0;
                if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
                        return refuse(-EBADMSG, ret_why, TLS_CREDENTIAL_CERTIFICATE,
                                        "has more than 10 certificates");
                return refuse(-EBADMSG, ret_why, TLS_CREDENTIAL_CERTIFICATE,
                                "is not a certificate in PEM form");
        }
        return 0;
}

static int decode_key(const char *pem, gnutls_x509_privkey_t *ret, char **ret_why) {
        const gnutls_datum_t data = { .data = (unsigned char *) pem, .size = (unsigned) strlen(pem) };

        if (gnutls_x509_privkey_init(ret) < 0)
                return -ENOMEM;
        if (gnutls_x509_privkey_import2(*ret, &data, GNUTLS_X509_FMT_PEM, NULL, 0) < 0)
                return refuse(-EBADMSG, ret_why, TLS_CREDENTIAL_KEY,
                                "is not a private key in PEM form without a passphrase");
        return 0;
}

/* RFC 5280, 4.2.1.2: the key identifier is made from the public key. */
static int check_fit(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, char **ret_why) {
        unsigned char a[64], b[64];
        size_t size_a = sizeof(a), size_b = sizeof(b);

        if (gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, a, &size_a) < 0 ||
                        gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &size_b) < 0)
                return refuse(-EBADMSG, ret_why, TLS_CREDENTIAL_KEY, "has no public key");
        if (size_a != size_b || memcmp(a, b, size_a) != 0)
                return refuse(-EBADMSG, ret_why, TLS_CREDENTIAL_KEY,
                                "is not the key of " TLS_CREDENTIAL_CERTIFICATE);
        return 0;
}

static int describe(gnutls_x509_crt_t certificate, TlsPair *p) {
        time_t from = gnutls_x509_crt_get_activation_time(certificate),
               until = gnutls_x509_crt_get_expiration_time(certificate);
        unsigned char hash[32];
        size_t size = sizeof(hash);

        if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, hash, &size) < 0 || from < 0 ||
                        until < 0)
                return -EBADMSG;
        p->not_before = (usec_t) from * USEC_PER_SEC;
        p->not_after = (usec_t) until * USEC_PER_SEC;
        for (size_t i = 0; i < size; i++)
                (void) snprintf(p->fingerprint + i * 3, 4, "%02X%s", hash[i], i + 1 < size ? ":" : "");
        return 0;
}

int tls_pair_from_pem(const char *certificate, const char *key, TlsPair *ret, char **ret_why) {
        _cleanup_(private_key_done) gnutls_x509_privkey_t private_key = NULL;
        _cleanup_(chain_done) Chain chain = {};
        _cleanup_tls_pair_ TlsPair p = {};
        int r;

        r = decode_chain(certificate, &chain, ret_why);
        if (r >= 0)
                r = decode_key(key, &private_key, ret_why);
        if (r >= 0)
                r = check_fit(chain.certificates[0], private_key, ret_why);
        if (r < 0)
                return r;
        r = describe(chain.certificates[0], &p);
        if (r < 0)
                return refuse(r, ret_why, TLS_CREDENTIAL_CERTIFICATE, "has no time of validity");
        p.certificate = strdup(certificate);
        p.key = strdup(key);
        if (!p.certificate || !p.key)
                return -ENOMEM;
        *ret = p;
        p = (TlsPair){};
        return 0;
}

static void wiped_freep(char **s) {
        if (*s)
                explicit_bzero(*s, strlen(*s));
        free(*s);
}

/* -ENOENT also if it has no text. */
static int read_text(const char *directory, const char *name, const char *suffix, char **ret) {
        _cleanup_free_ char *path = strprintf("%s/%s%s", directory, name, suffix);
        _cleanup_(wiped_freep) char *text = NULL;
        int r = path ? read_file_at(AT_FDCWD, path, PEM_SIZE_MAX, &text, NULL) : -ENOMEM;

        if (r >= 0 && !text[strspn(text, "\n")])
                r = -ENOENT;
        if (r >= 0)
                *ret = TAKE_PTR(text);
        return r;
}

/* The credential of this name, or if there is none that is encrypted, the one that is not. -ENOKEY: it could
 * not be decrypted. */
static int read_credential(const char *directory, const char *name, char **ret) {
        _cleanup_free_ char *encrypted = NULL;
        int r = read_text(directory, name, "", ret);

        if (r != -ENOENT)
                return r;
        r = read_text(directory, name, TLS_CREDENTIAL_ENCRYPTED, &encrypted);
        if (r == -ENOENT)
                return read_text(directory, name, TLS_CREDENTIAL_PLAIN, ret);
        return r == -ENOMEM ? r : -ENOKEY;
}

static int refuse_encrypted(const char *name, char **ret_why) {
        *ret_why = strprintf(
                        "/etc/credstore.encrypted/%s cannot be decrypted on this machine; see 'journalctl "
                        "-u hyper-tls-unlock@%s'",
                        name, name);
        return *ret_why ? -EBADMSG : -ENOMEM;
}

int tls_pair_read(const char *directory, TlsPair *ret, char **ret_why) {
        _cleanup_free_ char *certificate = NULL;
        _cleanup_(wiped_freep) char *key = NULL;
        int r = read_credential(directory, TLS_CREDENTIAL_CERTIFICATE, &certificate),
            s = read_credential(directory, TLS_CREDENTIAL_KEY, &key);

        if (r == -ENOENT && s == -ENOENT)
                return -ENOENT;
        if (r == -ENOMEM || s == -ENOMEM)
                return -ENOMEM;
        if (r == -ENOKEY || s == -ENOKEY)
                return refuse_encrypted(
                                r == -ENOKEY ? TLS_CREDENTIAL_CERTIFICATE : TLS_CREDENTIAL_KEY, ret_why);
        if (r == -ENOENT || s == -ENOENT)
                return refuse(-EBADMSG, ret_why, r < 0 ? TLS_CREDENTIAL_CERTIFICATE : TLS_CREDENTIAL_KEY,
                                "is missing: a certificate requires its key");
        if (r < 0 || s < 0)
                return refuse(-EBADMSG, ret_why, r < 0 ? TLS_CREDENTIAL_CERTIFICATE : TLS_CREDENTIAL_KEY,
                                strerror(r < 0 ? -r : -s));
        return tls_pair_from_pem(certificate, key, ret, ret_why);
}

int tls_pair_check_time(const TlsPair *p, usec_t now, char **ret_why) {
        if (now > p->not_after)
                return refuse(-EKEYEXPIRED, ret_why, TLS_CREDENTIAL_CERTIFICATE, "has expired");
        if (now < p->not_before)
                return refuse(-EKEYEXPIRED, ret_why, TLS_CREDENTIAL_CERTIFICATE, "is not valid yet");
        return 0;
}
