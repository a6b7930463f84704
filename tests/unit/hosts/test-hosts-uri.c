/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/host-uri.h"
#include "unit/lib/test.h"

static const char key[] = "/k";

START_TEST(uris_that_are_taken) {
        static const struct {
                const char *uri, *built;
        } cases[] = {
                { "qemu:///system", "qemu:///system" },
                { "qemu+ssh://root@kvm1/system", "qemu+ssh://root@kvm1/system?no_tty=1&keyfile=/k" },
                { "qemu+ssh://kvm1:2222/system", "qemu+ssh://kvm1:2222/system?no_tty=1&keyfile=/k" },
                { "qemu+ssh://me@kvm-1.example.org/session",
                                "qemu+ssh://me@kvm-1.example.org/session?no_tty=1&keyfile=/k" },
                { "qemu+ssh://a@b@kvm1/system", "qemu+ssh://a@b@kvm1/system?no_tty=1&keyfile=/k" },
                { "qemu+ssh://[::1]:22/system", "qemu+ssh://[::1]:22/system?no_tty=1&keyfile=/k" },
                { "qemu+ssh://h/system?no_verify=1", "qemu+ssh://h/system?no_tty=1&keyfile=/k&no_verify=1" },
                { "qemu+tls://kvm1.example.org/system", "qemu+tls://kvm1.example.org/system" },
                { "qemu+tls://kvm1:16514/system", "qemu+tls://kvm1:16514/system" },
                { "qemu+tls://kvm1/system?no_verify=1", "qemu+tls://kvm1/system?no_verify=1" },
                { "test:///default", "test:///default" },
                { "test:///srv/a.xml", "test:///srv/a.xml" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *why = "";
                HostUri u;

                ck_assert_msg(host_uri_parse(cases[i].uri, true, &u, &why) == 0, "%s: %s", cases[i].uri,
                                why);
                _cleanup_free_ char *built = host_uri_build(&u, key);
                ck_assert_str_eq(built, cases[i].built);
        }
}
END_TEST

static void check_refused(const char *uri, bool allow_test) {
        const char *why = NULL;
        HostUri u;

        ck_assert_msg(host_uri_parse(uri, allow_test, &u, &why) == -EINVAL, "%s was taken", uri);
        ck_assert(!isempty(why));
}

/* All parameters of libvirt 9, and what they could be hidden in. */
START_TEST(parameters_are_refused) {
        static const char *const parameters[] = { "name=x", "command=/bin/sh", "netcat=/bin/sh",
                "socket=/run/x", "keyfile=/x", "no_tty=1", "mode=direct", "proxy=netcat", "pkipath=/x",
                "tls_priority=NORMAL", "known_hosts=/x", "known_hosts_verify=ignore", "no_sanity=1",
                "sshauth=password", "auth=x", "root=/srv", "no_verify=0", "no_verify=2", "no_verify",
                "NO_VERIFY=1", "no_verify=1&name=x", "no_verify=1;name=x", "name=x&no_verify=1",
                "no_verify=1&no_verify=1", "&no_verify=1", "no_verify=1&", "no_verify=1#x", "no_verify=%31",
                "%6eame=x", "no%5fverify=1", "", "?no_verify=1", "x", "=", "authfile=/etc/shadow",
                "driver=x", "virtproxyd=1" };
        static const char *const bases[] = { "qemu:///system", "qemu+ssh://root@kvm1/system",
                "qemu+tls://kvm1/system", "test:///default" };

        for (size_t i = 0; i < ELEMENTSOF(parameters); i++)
                for (size_t k = 0; k < ELEMENTSOF(bases); k++) {
                        _cleanup_free_ char *uri = strprintf("%s?%s", bases[k], parameters[i]);

                        check_refused(uri, true);
                }
        check_refused("qemu:///system?no_verify=1", true);
        check_refused("test:///default?no_verify=1", true);
}
END_TEST

START_TEST(uris_that_are_refused) {
        static const char *const uris[] = { "", "qemu", "qemu:/system", "qemu:system", "QEMU:///system",
                "qemu+ext:///system", "qemu+unix:///system", "qemu+tcp://h/system", "qemu+libssh://h/system",
                "qemu+libssh2://h/system", "qemu+ssh+x://h/system", "esx://h/", "http://h/", "xen:///system",
                "lxc:///system", "ch:///system", "vz:///system", "bhyve:///system", "vbox:///session",
                "openvz:///system", "test+ssh://h/default", "test+tcp://h/default", "://h/system",
                "qemu+ssh://-oProxyCommand=x/system", "qemu+ssh://-l@h/system", "qemu+ssh:///system",
                "qemu+tls:///system", "qemu+ssh://root:secret@h/system", "qemu+ssh://h", "qemu:///",
                "qemu:///system/", "qemu:///session", "qemu:///embed", "qemu:///system#x",
                "qemu+ssh://h/sys tem", "qemu+ssh://h/\n", "qemu+ssh://h/system\n",
                "qemu+ssh://%2DoProxyCommand=x/system", "qemu+ssh://root@:22/system",
                "qemu+ssh://ro%6ft@h/system", "qemu+ssh://@h/system", "qemu+ssh://h:/system",
                "qemu+ssh://h:0/system", "qemu+ssh://h:65536/system", "qemu+ssh://h:4294967318/system",
                "qemu+ssh://h:2x/system", "qemu+ssh://h:22:22/system", "qemu+ssh://[::1/system",
                "qemu+ssh://[]/system", "qemu+ssh://[::1]22/system", "qemu+ssh://[-o]/system",
                "qemu+ssh://a,b/system", "qemu+ssh://a;b/system", "qemu+ssh://$(x)/system",
                "qemu+ssh://`x`/system", "qemu+ssh://a\\b/system", "qemu+tls://me@h/system",
                "qemu://me@/system", "qemu://h/system", "test://h/default", "test:///", "test:///system",
                "test:///a b", "test:///a%20b", "qemu+ssh://h\xc3\xa9/system", "qemu+ssh://h/..",
                "qemu+ssh://h//system" };

        for (size_t i = 0; i < ELEMENTSOF(uris); i++)
                check_refused(uris[i], true);
        check_refused("test:///default", false);
        check_refused("test:///etc/shadow", false);
        _cleanup_free_ char *longest = new0(char, 2000);
        memset(longest, 'a', 1999);
        memcpy(longest, "qemu+ssh://", 11);
        memcpy(longest + 1990, "/system", 8);
        check_refused(longest, true);
}
END_TEST

static void check_redact(const char *uri, const char *expected) {
        _cleanup_free_ char *shown = host_uri_redact(uri);

        ck_assert_str_eq(shown, expected);
}

START_TEST(userinfo_is_not_shown) {
        check_redact("qemu:///system", "qemu:///system");
        check_redact("qemu+ssh://root@kvm1:22/system?no_verify=1",
                        "qemu+ssh://***@kvm1:22/system?no_verify=1");
        check_redact("qemu+ssh://root@kvm1:22/system?keyfile=/x", "qemu+ssh://***@kvm1:22/system");
        check_redact("qemu+ssh://a@b@kvm1/system", "qemu+ssh://***@kvm1/system");
        check_redact("qemu+ssh://kvm1/a@b", "qemu+ssh://kvm1/a@b");
        check_redact("a:b@c", "***");
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

TEST_MAIN("hosts-uri", uris_that_are_taken, parameters_are_refused, uris_that_are_refused,
                userinfo_is_not_shown, an_id_is_the_machines_name, ids_that_are_valid)
