/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/tls-trust.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"

#define SHA1_SIZE 20
#define SHA256_SIZE 32
#define CA_SIZE_MAX ((size_t) 1024 * 1024)

void tls_trust_done(TlsTrust *t) {
        free(t->ca);
        *t = (TlsTrust){};
}

/* "AA:BB:CC", "AABBCC" or "aa bb cc" */
static int parse_thumbprint(const char *text, TlsTrust *t) {
        size_t n = 0;

        while (*text) {
                int high = parse_hex_digit(text[0]), low = high < 0 ? high : parse_hex_digit(text[1]);

                if (low < 0 || n == SHA256_SIZE)
                        return -EINVAL;
                t->digest[n++] = (unsigned char) (high << 4 | low);
                text += 2;
                if ((*text == ':' || *text == ' ') && text[1])
                        text++;
        }
        if (n != SHA256_SIZE && n != SHA1_SIZE)
                return -EINVAL;
        t->digest_size = n;
        return 0;
}

static void certificate_freep(X509 **c) {
        X509_free(*c);
}

static void bio_freep(BIO **b) {
        BIO_free(*b);
}

/* libcurl ignores what it cannot read. */
static int check_ca(const char *ca) {
        _cleanup_(bio_freep) BIO *bio = NULL;
        _cleanup_(certificate_freep) X509 *certificate = NULL;

        if (strlen(ca) > CA_SIZE_MAX)
                return -EINVAL;
        bio = BIO_new_mem_buf(ca, -1);
        if (!bio)
                return -ENOMEM;
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        return certificate ? 0 : -EINVAL;
}

int tls_trust_init(TlsTrust *t, const char *ca, const char *thumbprint) {
        _cleanup_tls_trust_ TlsTrust new = {};
        int r = isempty(thumbprint) ? 0 : parse_thumbprint(thumbprint, &new);

        if (r >= 0 && !isempty(ca)) {
                r = check_ca(ca);
                if (r >= 0)
                        r = free_and_strdup(&new.ca, ca);
        }
        if (r < 0)
                return r;
        *t = new;
        new.ca = NULL;
        return 0;
}

static void write_thumbprint(char *p, const unsigned char *digest, size_t size) {
        for (size_t i = 0; i < size; i++)
                p += snprintf(p, 4, i ? ":%02X" : "%02X", digest[i]);
}

/* Replaces OpenSSL's verification: SSL_CTX_set_cert_verify_callback(3). 1 accepts the certificate. */
static int verify(X509_STORE_CTX *ctx, void *userdata) {
        unsigned char sha256[EVP_MAX_MD_SIZE], sha1[EVP_MAX_MD_SIZE];
        X509 *certificate = X509_STORE_CTX_get0_cert(ctx);
        TlsTrust *t = userdata;

        if (!certificate || X509_digest(certificate, EVP_sha256(), sha256, NULL) != 1 ||
                        X509_digest(certificate, EVP_sha1(), sha1, NULL) != 1) {
                X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNSPECIFIED);
                return 0;
        }
        write_thumbprint(t->seen, sha256, SHA256_SIZE);
        write_thumbprint(t->seen_sha1, sha1, SHA1_SIZE);
        if (t->digest_size == 0)
                return X509_verify_cert(ctx);
        if (CRYPTO_memcmp(t->digest, t->digest_size == SHA1_SIZE ? sha1 : sha256, t->digest_size) != 0) {
                X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_UNTRUSTED);
                return 0;
        }
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        return 1;
}

static CURLcode on_context(CURL *easy, void *context, void *userdata) {
        SSL_CTX_set_cert_verify_callback(context, verify, userdata);
        return CURLE_OK;
}

int tls_trust_apply(TlsTrust *t, CURL *easy) {
        CURLcode bad = CURLE_OK;
        struct curl_blob blob = { .data = t->ca, .len = t->ca ? strlen(t->ca) : 0, .flags = CURL_BLOB_COPY };

#define SET(option, value)   \
        if (bad == CURLE_OK) \
                bad = curl_easy_setopt(easy, (option), (value));
        SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        SET(CURLOPT_SSL_VERIFYPEER, 1L);
        /* A thumbprint identifies the server, whatever its name is. */
        SET(CURLOPT_SSL_VERIFYHOST, t->digest_size > 0 ? 0L : 2L);
        /* Each connection is verified anew. */
        SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
        SET(CURLOPT_SSL_CTX_FUNCTION, on_context);
        SET(CURLOPT_SSL_CTX_DATA, t);
        if (t->ca) {
                SET(CURLOPT_CAINFO, NULL);
                SET(CURLOPT_CAPATH, NULL);
                SET(CURLOPT_CAINFO_BLOB, &blob);
        }
#undef SET
        return bad == CURLE_OK ? 0 : bad == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

bool tls_trust_refused(const TlsTrust *t, CURLcode code) {
        return code == CURLE_PEER_FAILED_VERIFICATION && t->seen[0];
}
