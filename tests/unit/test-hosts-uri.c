/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-uri.h"
#include "test.h"

START_TEST(uris_that_are_taken) {
        static const char *const uris[] = { "qemu:///system", "qemu+ssh://root@kvm1/system",
                "qemu+ssh://kvm1:2222/system?keyfile=/x", "qemu+tls://kvm1.example.org/system",
                "test:///default", "test:///srv/a.xml", "qemu+unix:///system?socket=/run/x",
                "qemu+ssh://[::1]/system", "xen:///system", "qemu+ssh://kvm1/system?no_tty=1&mode=direct" };
        const char *why = "";

        for (size_t i = 0; i < ELEMENTSOF(uris); i++)
                ck_assert_msg(host_uri_check(uris[i], &why) == 0, "%s: %s", uris[i], why);
}
END_TEST

/* Programs, checks that are switched off, options for ssh, passwords. */
START_TEST(uris_that_are_refused) {
        static const char *const uris[] = { "", "qemu", "qemu:/system", "qemu+ext:///system?command=/bin/sh",
                "qemu+ssh://h/system?command=/bin/sh", "qemu+ssh://h/system?netcat=/bin/sh",
                "qemu+ssh://h/system?no_verify=1", "qemu+tls://h/system?no_verify=1",
                "qemu+ssh://-oProxyCommand=x/system", "qemu+ssh://-l@h/system", "qemu+ssh:///system",
                "qemu+ssh://root:secret@h/system", "qemu+libssh2://h/system?known_hosts_verify=ignore",
                "qemu+tcp://h/system", "esx://h/", "http://h/", "qemu+ssh://h", "qemu:///system#x",
                "qemu+ssh://h/sys tem", "qemu+ssh://h/\n", "qemu+ssh://h/system?;command=x",
                "qemu+ssh://h/system?keyfile=/x;command=y", "qemu+ssh://h/system?%63ommand=x",
                "qemu+ssh://%2DoProxyCommand=x/system", "qemu+ssh://root@:22/system",
                "qemu+ssh://ro%6ft@h/system" };
        const char *why;

        for (size_t i = 0; i < ELEMENTSOF(uris); i++) {
                why = NULL;
                ck_assert_msg(host_uri_check(uris[i], &why) == -EINVAL, "%s was taken", uris[i]);
                ck_assert(!isempty(why));
        }
}
END_TEST

static void check_redact(const char *uri, const char *expected) {
        _cleanup_free_ char *shown = host_uri_redact(uri);

        ck_assert_str_eq(shown, expected);
}

START_TEST(userinfo_is_not_shown) {
        check_redact("qemu:///system", "qemu:///system");
        check_redact("qemu+ssh://root@kvm1:22/system?keyfile=/x",
                        "qemu+ssh://***@kvm1:22/system?keyfile=/x");
        check_redact("qemu+ssh://a@b@kvm1/system", "qemu+ssh://***@kvm1/system");
        check_redact("qemu+ssh://kvm1/a@b", "qemu+ssh://kvm1/a@b");
}
END_TEST

static void check_complete(const char *uri, const char *expected) {
        _cleanup_free_ char *full = host_uri_complete(uri, "/k");

        ck_assert_str_eq(full, expected);
}

START_TEST(ssh_gets_a_key_and_asks_nobody) {
        check_complete("qemu:///system", "qemu:///system");
        check_complete("qemu+ssh://h/system", "qemu+ssh://h/system?no_tty=1&keyfile=/k");
        check_complete("qemu+ssh://h/system?keyfile=/mine", "qemu+ssh://h/system?keyfile=/mine&no_tty=1");
        check_complete("qemu+ssh://h/system?no_tty=1", "qemu+ssh://h/system?no_tty=1&keyfile=/k");
        check_complete("qemu+ssh://h/system?no_tty=1&keyfile=/m", "qemu+ssh://h/system?no_tty=1&keyfile=/m");
}
END_TEST

static void check_id(const char *uri, const char *expected) {
        _cleanup_free_ char *id = host_uri_make_id(uri);

        ck_assert_str_eq(id, expected);
        ck_assert(host_id_is_valid(id));
}

START_TEST(an_id_is_the_machines_name) {
        check_id("qemu:///system", "local");
        check_id("qemu+ssh://root@kvm1.example.org:22/system", "kvm1.example.org");
        check_id("qemu+ssh://[fe80::1]:22/system", "[fe80::1]");
}
END_TEST

START_TEST(ids_that_are_valid) {
        _cleanup_free_ char *longest = new0(char, HOST_ID_MAX + 2);

        memset(longest, 'x', HOST_ID_MAX);
        ck_assert(host_id_is_valid(longest));
        longest[HOST_ID_MAX] = 'x';
        ck_assert(!host_id_is_valid(longest));
        ck_assert(host_id_is_valid("kvm 1"));
        ck_assert(host_id_is_valid("Büro"));
        ck_assert(!host_id_is_valid(""));
        ck_assert(!host_id_is_valid("a/b"));
        ck_assert(!host_id_is_valid("a\nb"));
        ck_assert(!host_id_is_valid("\xff"));
}
END_TEST

TEST_MAIN("hosts-uri", uris_that_are_taken, uris_that_are_refused, userinfo_is_not_shown,
                ssh_gets_a_key_and_asks_nobody, an_id_is_the_machines_name, ids_that_are_valid)
