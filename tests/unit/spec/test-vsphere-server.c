/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/vsphere-server.h"
#include "unit/lib/test.h"

START_TEST(addresses_have_one_form) {
        static const char *const cases[][2] = {
                { "vcenter.example.com", "https://vcenter.example.com" },
                { "VCenter.Example.COM:8443", "https://vcenter.example.com:8443" },
                { "https://vc", "https://vc" },
                { "https://vc/sdk", "https://vc" },
                { "HTTPS://vc:443/sdk/", "https://vc" },
                { "https://vc:65535/", "https://vc:65535" },
                { "10.0.0.1:1", "https://10.0.0.1:1" },
                { "[FD00::1]", "https://[fd00::1]" },
                { "https://[::1]:8989/sdk", "https://[::1]:8989" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *url = NULL, *again = NULL;
                const char *reason = "";

                ck_assert_msg(vsphere_url_normalize(cases[i][0], &url, &reason) == 0, "%s: %s", cases[i][0],
                                reason);
                ck_assert_str_eq(url, cases[i][1]);
                ck_assert_int_eq(vsphere_url_normalize(url, &again, &reason), 0);
                ck_assert_str_eq(again, url);
        }
}
END_TEST

START_TEST(other_addresses_are_refused) {
        static const char *const cases[][2] = {
                { "", "must be HOST" },
                { "/", "must be HOST" },
                { "https://", "must be HOST" },
                { "http://vc", "https" },
                { "ftp://vc", "https" },
                { "vc/ui", "must be HOST" },
                { "vc?x=1", "must be HOST" },
                { "vc#x", "must be HOST" },
                { "v c", "must be HOST" },
                { "-vc", "must be HOST" },
                { "vc\r\nHost: x", "must be HOST" },
                { "https://user:pass@vc", "user or password" },
                { "user@vc", "user or password" },
                { "vc:", "port" },
                { "vc:0", "port" },
                { "vc:65536", "port" },
                { "vc:99999999999999999999", "port" },
                { "vc:12x", "must be HOST" },
                { "[::1", "IPv6" },
                { "[fe80::1%eth0]", "IPv6" },
                { "[1.2.3.4]", "IPv6" },
                { "[::1]x", "must be HOST" },
                { "fd00::1", "port" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *reason = NULL;
                char *url = NULL;

                ck_assert_msg(vsphere_url_normalize(cases[i][0], &url, &reason) == -EINVAL,
                                "%s was accepted", cases[i][0]);
                ck_assert_msg(reason && strstr(reason, cases[i][1]), "%s: %s", cases[i][0], strna(reason));
                ck_assert_ptr_null(url);
        }
}
END_TEST

#define DIGEST "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"
#define COLONS \
        "01:23:45:67:89:AB:CD:EF:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89"

START_TEST(thumbprints_have_one_form) {
        static const char *const bad[] = { "", "AA", "0123456789abcdef0123456789abcdef01234567" /* SHA-1 */,
                DIGEST "0", "g123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789",
                "01-23:45:67:89:AB:CD:EF:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:"
                "67:89",
                "012:3:45:67:89:AB:CD:EF:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:"
                "67:89" };
        char text[VSPHERE_THUMBPRINT_SIZE];

        ck_assert_int_eq(vsphere_thumbprint_normalize(DIGEST, text), 0);
        ck_assert_str_eq(text, COLONS);
        ck_assert_int_eq(vsphere_thumbprint_normalize(COLONS, text), 0);
        ck_assert_str_eq(text, COLONS);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(vsphere_thumbprint_normalize(bad[i], text) == -EINVAL, "%s", bad[i]);
}
END_TEST

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n"

START_TEST(certificates_are_in_pem) {
        static const char *const bad[] = { "", "\n", "MIIB", "-----BEGIN CERTIFICATE-----\nMIIB",
                "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", CERTIFICATE "x",
                "x" CERTIFICATE, "-----BEGIN CERTIFICATE-----\n<?>\n-----END CERTIFICATE-----\n" };

        ck_assert(vsphere_ca_is_valid(CERTIFICATE));
        ck_assert(vsphere_ca_is_valid("\n" CERTIFICATE "\r\n" CERTIFICATE));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(!vsphere_ca_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(names_are_plain) {
        static const char *const bad[] = { "", ".a", "-a", "_a", "a b", "a/b", "\xc3\xa4",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

        ck_assert(vsphere_source_name_is_valid("vc-1.Lab_2"));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(!vsphere_source_name_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

TEST_MAIN("vsphere-server", names_are_plain, addresses_have_one_form, other_addresses_are_refused,
                thumbprints_have_one_form, certificates_are_in_pem)
