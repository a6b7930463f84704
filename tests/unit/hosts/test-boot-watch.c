/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the console, the screen, the disks and the agent of a starting guest say about it. */

#include "hosts/boot-watch.h"
#include "unit/lib/test.h"

#define STILL (60 * USEC_PER_SEC)
#define LIMIT (300 * USEC_PER_SEC)

static BootWatch *new_watch(void) {
        BootWatch *w = boot_watch_new(0, STILL, LIMIT);

        ck_assert_ptr_nonnull(w);
        return w;
}

static void show(BootWatch *w, const char *text) {
        ck_assert_int_eq(boot_watch_console(w, text, strlen(text), 0), 0);
}

/* What is known at @now: "yes: message"; "": nothing yet. */
static char *judge(BootWatch *w, usec_t now) {
        _cleanup_kvm_boot_ KvmBoot *b = NULL;
        int r = boot_watch_judge(w, now, &b);

        ck_assert_int_ge(r, 0);
        ck_assert_int_eq(r > 0, b != NULL);
        return b ? strprintf("%s: %s", kvm_boots_to_string(b->boots), b->message) : strdup("");
}

static void expect_at(BootWatch *w, usec_t now, const char *expected) {
        _cleanup_free_ char *text = judge(w, now);

        ck_assert_msg(*expected ? strstr(text, expected) != NULL : !*text, "%s: %s", expected, text);
}

static char *console_lines(BootWatch *w) {
        _cleanup_kvm_boot_ KvmBoot *b = NULL;

        ck_assert_int_eq(boot_watch_agent(w, NULL), 0);
        ck_assert_int_eq(boot_watch_judge(w, 0, &b), 1);
        return strv_join(b->console, "|");
}

START_TEST(the_console_decides) {
        static const struct {
                const char *console, *expected;
        } cases[] = {
                { "\r\nDebian GNU/Linux 12 web ttyS0\r\n\r\nweb login: ", "yes: a login prompt" },
                { "login: ", "yes: a login prompt" },
                { "web login: [   12.1] random: crng init done\r\n", "yes: a login prompt" },
                { "[  OK  ] Reached target \033[0;1;39mmulti-user.target\033[0m - Multi-User System.\r\n",
                                "yes: systemd has reached multi-user.target" },
                { "         Starting Multi-User System\r\n", "" },
                { "systemd-logind.service - User Login Management\r\n", "" },
                { "[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n", "no: its kernel" },
                { "Gave up waiting for root file system device.  Common problems:\r\n",
                                "no: its initramfs" },
                { "BusyBox v1.35.0\r\n\r\n(initramfs) ", "no: it stays in its initramfs" },
                { "type exit to leave the (initramfs) shell\r\n", "" },
                { "dracut:/# ", "no: it stays in its initramfs" },
                { "You are in emergency mode. After logging in\r\n", "no: it is in emergency mode" },
                { "\033[2J\033[01;01Herror: no such partition.\r\ngrub rescue> ",
                                "no: GRUB does not find its" },
                { "BdsDxe: No bootable option or device was found.\r\n", "no: the firmware finds nothing" },
                { "UEFI Interactive Shell v2.2\r\n", "no: the firmware finds nothing" },
                { "Loading Linux 6.1.0 ...\r\n", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_boot_watch_ BootWatch *w = new_watch(), *slow = new_watch();

                show(w, cases[i].console);
                expect_at(w, 0, cases[i].expected);
                /* The same in pieces of one byte */
                for (const char *c = cases[i].console; *c; c++)
                        ck_assert_int_eq(boot_watch_console(slow, c, 1, 0), 0);
                expect_at(slow, 0, cases[i].expected);
        }
}
END_TEST

START_TEST(the_first_sign_counts) {
        _cleanup_boot_watch_ BootWatch *w = new_watch();

        show(w, "web login: ");
        show(w, "\r\nKernel panic - not syncing\r\n");
        expect_at(w, 0, "yes: ");
}
END_TEST

START_TEST(the_console_is_kept_as_lines) {
        _cleanup_boot_watch_ BootWatch *w = new_watch(), *many = new_watch();
        _cleanup_free_ char *lines = NULL, *last = NULL;

        show(w, "\033[1mone\033[0m\r\n\r\n50%\r100%\r\ntw\bwo\033]0;title\a\xff\xc2\x85\n\033[H");
        show(w, "three");
        lines = console_lines(w);
        ck_assert_str_eq(lines, "one|100%|two\xef\xbf\xbd |three");
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_free_ char *line = strprintf("line %u\n", i);
                show(many, line);
        }
        show(many, "the end");
        last = console_lines(many);
        ck_assert(startswith(last, "line 61|line 62|"));
        ck_assert_ptr_nonnull(strstr(last, "|line 99|the end"));
}
END_TEST

START_TEST(a_screen_that_stands_still_is_the_end) {
        _cleanup_boot_watch_ BootWatch *w = new_watch(), *empty = new_watch(), *busy = new_watch();

        boot_watch_disks(w, 100 << 20, 0, 0);
        boot_watch_screen(w, "a", 1, 10 * USEC_PER_SEC);
        boot_watch_screen(w, "b", 1, 20 * USEC_PER_SEC);
        /* A cursor blinks. */
        boot_watch_screen(w, "a", 1, 30 * USEC_PER_SEC);
        boot_watch_screen(w, "b", 1, 50 * USEC_PER_SEC);
        expect_at(w, 79 * USEC_PER_SEC, "");
        expect_at(w, 80 * USEC_PER_SEC, "unknown: its screen has not changed for 60 s");
        boot_watch_disks(empty, 512, 0, 0);
        boot_watch_screen(empty, "a", 1, 0);
        expect_at(empty, STILL, "no: nothing has changed for 60 s, and it has read only 512 bytes");
        /* The disk is read, and the screen changes: this ends with the limit. */
        for (unsigned i = 0; i < 30; i++) {
                usec_t now = i * 10 * USEC_PER_SEC;
                expect_at(busy, now, "");
                if (i < 15)
                        boot_watch_screen(busy, &i, sizeof(i), now);
                else
                        boot_watch_disks(busy, i * (uint64_t) 100 << 20, 0, now);
        }
        expect_at(busy, LIMIT, "unknown: there was neither a login prompt");
}
END_TEST

START_TEST(a_guest_that_writes_all_the_time_is_ended) {
        _cleanup_boot_watch_ BootWatch *w = new_watch();

        boot_watch_disks(w, 1 << 20, (UINT64_C(4) << 30) - 1, 0);
        expect_at(w, USEC_PER_SEC, "");
        boot_watch_disks(w, 1 << 20, UINT64_C(4) << 30, 0);
        expect_at(w, USEC_PER_SEC, "unknown: it has written 4294967296 bytes to its disks");
}
END_TEST

START_TEST(the_agent_and_the_end_of_the_guest_decide) {
        _cleanup_boot_watch_ BootWatch *agent = new_watch(), *hostile = new_watch(), *off = new_watch();

        ck_assert_int_eq(boot_watch_agent(agent, "Debian GNU/Linux 12"), 0);
        expect_at(agent, 0, "yes: the guest agent of Debian GNU/Linux 12 answers");
        ck_assert_int_eq(boot_watch_agent(hostile, "a\xc2\x85"), 0);
        expect_at(hostile, 0, "yes: its guest agent answers");
        ck_assert_int_eq(boot_watch_ended(off, "has powered itself off"), 0);
        expect_at(off, 0, "no: it has powered itself off");
}
END_TEST

START_TEST(outcomes_are_decoded_strictly) {
        static const char *const bad[] = { "{}", "[]", "{\"boots\":\"maybe\",\"message\":\"m\"}",
                "{\"boots\":\"yes\"}", "{\"boots\":\"yes\",\"message\":\"m\",\"more\":1}",
                "{\"boots\":\"yes\",\"message\":\"m\",\"console\":[\"\\u0085\"]}",
                "{\"boots\":\"yes\",\"message\":\"m\",\"bytes_read\":-1}" };
        static const char good[] =
                        "{\"boots\":\"no\",\"message\":\"m\",\"console\":[\"a\"],\"screenshot\":\"/s\","
                        "\"seconds\":3,\"bytes_read\":4}";
        _cleanup_kvm_boot_ KvmBoot *b = NULL;
        _cleanup_json_ json_t *again = NULL;
        _cleanup_free_ char *text = NULL, *name = kvm_boot_domain_name("a"),
                            *other = kvm_boot_domain_name("b");

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_eq(kvm_boot_decode(bad[i], strlen(bad[i]), &b), -EBADMSG);
        ck_assert_int_eq(kvm_boot_decode(good, strlen(good), &b), 0);
        again = kvm_boot_to_json(b);
        text = json_dumps(again, JSON_COMPACT);
        ck_assert_str_eq(text, good);
        ck_assert_str_ne(name, other);
        ck_assert(startswith(name, "hyper-boot-"));
}
END_TEST

TEST_MAIN("boot-watch", the_console_decides, the_first_sign_counts, the_console_is_kept_as_lines,
                a_screen_that_stands_still_is_the_end, a_guest_that_writes_all_the_time_is_ended,
                the_agent_and_the_end_of_the_guest_decide, outcomes_are_decoded_strictly)
