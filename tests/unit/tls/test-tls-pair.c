/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates and their keys: those that GnuTLS makes for us, and what is none. */

#include <gnutls/x509.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "certificate/self-signed.h"
#include "tls/tls-pair.h"
#include "unit/lib/test.h"

#define NOW ((usec_t) 1764500000 * USEC_PER_SEC)

static char *const names[] = { (char *) "server.example", (char *) "192.0.2.1", (char *) "2001:db8::1",
        NULL };

static void make(usec_t now, TlsPair *ret) {
        ck_assert_int_eq(self_signed_make(names, now, ret), 0);
}

START_TEST(made_for_825_days) {
        _cleanup_tls_pair_ TlsPair p = {};

        make(NOW, &p);
        ck_assert_uint_lt(p.not_before, NOW);
        ck_assert_uint_eq(p.not_after, NOW + 825 * USEC_PER_DAY);
        ck_assert(self_signed_is_ours(&p));
        ck_assert_uint_eq(strlen(p.fingerprint), 95);
        ck_assert_uint_eq(strspn(p.fingerprint, "0123456789ABCDEF:"), 95);
}
END_TEST

START_TEST(refused_without_a_name) {
        _cleanup_tls_pair_ TlsPair p = {};

        ck_assert_int_eq(self_signed_make((char *[]){ NULL }, NOW, &p), -EINVAL);
}
END_TEST

START_TEST(valid_for_its_time) {
        _cleanup_tls_pair_ TlsPair p = {};
        _cleanup_free_ char *early = NULL, *late = NULL;

        make(NOW, &p);
        ck_assert_int_eq(tls_pair_check_time(&p, NOW, NULL), 0);
        ck_assert_int_eq(tls_pair_check_time(&p, p.not_before - 1, &early), -EKEYEXPIRED);
        ck_assert_str_eq(early, "hyper.tls-certificate is not valid yet");
        ck_assert_int_eq(tls_pair_check_time(&p, p.not_after + 1, &late), -EKEYEXPIRED);
        ck_assert_str_eq(late, "hyper.tls-certificate has expired");
}
END_TEST

START_TEST(refused_if_not_a_pair) {
        _cleanup_tls_pair_ TlsPair a = {}, b = {}, p = {};
        _cleanup_free_ char *chain = NULL;

        make(NOW, &a);
        make(NOW, &b);
        chain = strprintf("%s%s", a.certificate, b.certificate);
        const struct {
                const char *certificate, *key, *why;
        } cases[] = {
                { a.certificate, b.key, "hyper.tls-key is not the key of hyper.tls-certificate" },
                { "", a.key, "hyper.tls-certificate is not a certificate in PEM form" },
                { a.key, a.key, "hyper.tls-certificate is not a certificate in PEM form" },
                { a.certificate, "", "hyper.tls-key is not a private key in PEM form without a passphrase" },
                { a.certificate, a.certificate,
                                "hyper.tls-key is not a private key in PEM form without a passphrase" },
                { chain, b.key, "hyper.tls-key is not the key of hyper.tls-certificate" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *why = NULL;

                ck_assert_int_eq(tls_pair_from_pem(cases[i].certificate, cases[i].key, &p, &why), -EBADMSG);
                ck_assert_str_eq(why, cases[i].why);
        }
        _cleanup_free_ char *why = NULL;
        ck_assert_int_eq(tls_pair_from_pem(chain, a.key, &p, &why), 0);
        ck_assert_str_eq(p.fingerprint, a.fingerprint);
}
END_TEST

static void write_text(const char *dir, const char *name, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/%s", dir, name);
        _cleanup_fclose_ FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
}

START_TEST(read_from_a_directory) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_tls_pair_ TlsPair a = {}, p = {};
        _cleanup_free_ char *why = NULL, *why_large = NULL, *large = NULL, *why_encrypted = NULL;

        make(NOW, &a);
        ck_assert_int_eq(tls_pair_read(dir, &p, &why), -ENOENT);
        write_text(dir, TLS_CREDENTIAL_CERTIFICATE, a.certificate);
        ck_assert_int_eq(tls_pair_read(dir, &p, &why), -EBADMSG);
        ck_assert_str_eq(why, "hyper.tls-key is missing: a certificate requires its key");
        write_text(dir, TLS_CREDENTIAL_KEY, a.key);
        ck_assert_int_eq(tls_pair_read(dir, &p, NULL), 0);
        ck_assert_str_eq(p.certificate, a.certificate);
        ck_assert_str_eq(p.key, a.key);

        write_text(dir, TLS_CREDENTIAL_KEY TLS_CREDENTIAL_PLAIN, a.key);
        write_text(dir, TLS_CREDENTIAL_KEY, "\n");
        tls_pair_done(&p);
        ck_assert_int_eq(tls_pair_read(dir, &p, NULL), 0);
        ck_assert_str_eq(p.key, a.key);

        /* One that cannot be decrypted is not replaced. */
        write_text(dir, TLS_CREDENTIAL_KEY TLS_CREDENTIAL_ENCRYPTED, "k6iUCUh0RJ");
        ck_assert_int_eq(tls_pair_read(dir, &(TlsPair){}, &why_encrypted), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(why_encrypted,
                        "credstore.encrypted/hyper.tls-key cannot be decrypted on this machine; see "
                        "'journalctl -u hyper-tls-unlock@hyper.tls-key'"));
        write_text(dir, TLS_CREDENTIAL_KEY TLS_CREDENTIAL_ENCRYPTED, "\n");
        tls_pair_done(&p);
        ck_assert_int_eq(tls_pair_read(dir, &p, NULL), 0);

        large = strprintf("%s%70000s", a.key, "");
        write_text(dir, TLS_CREDENTIAL_KEY, large);
        ck_assert_int_eq(tls_pair_read(dir, &(TlsPair){}, &why_large), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(why_large, "hyper.tls-key"));
}
END_TEST

START_TEST(names_of_this_machine) {
        _cleanup_strv_free_ char **l = NULL;
        char hostname[256] = "";

        ck_assert_int_eq(self_signed_names(&l), 0);
        ck_assert_int_eq(gethostname(hostname, sizeof(hostname) - 1), 0);
        ck_assert(strv_contains(l, hostname));
        ck_assert(strv_contains(l, "localhost"));
}
END_TEST

START_TEST(all_names_are_in_the_certificate) {
        _cleanup_tls_pair_ TlsPair p = {};
        gnutls_x509_crt_t c;

        make(NOW, &p);
        const gnutls_datum_t data = { (unsigned char *) p.certificate, (unsigned) strlen(p.certificate) };
        ck_assert_int_eq(gnutls_x509_crt_init(&c), 0);
        ck_assert_int_eq(gnutls_x509_crt_import(c, &data, GNUTLS_X509_FMT_PEM), 0);
        for (size_t i = 0; names[i]; i++)
                ck_assert_uint_ne(gnutls_x509_crt_check_hostname(c, names[i]), 0);
        ck_assert_uint_eq(gnutls_x509_crt_check_hostname(c, "other.example"), 0);
        gnutls_x509_crt_deinit(c);
}
END_TEST

TEST_MAIN("tls-pair", made_for_825_days, refused_without_a_name, valid_for_its_time, refused_if_not_a_pair,
                read_from_a_directory, names_of_this_machine, all_names_are_in_the_certificate)
