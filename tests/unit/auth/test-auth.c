/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logins with the real PAM and its modules, with service files of the test's own (pam_start_confdir(3)), and
 * a real manager that makes the sessions. */

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/auth.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "shared/session-token.h"
#include "unit/lib/manager-test.h"

#define PASSWORD "päss \"w\\ord"

/* A program of the service that compares what pam_exec(8) gives it on standard input. */
static const char compare[] = "#!/bin/sh\n"
                              "[ \"$PAM_USER\" = alice ] && [ \"$PAM_RHOST\" = 192.0.2.1 ] && "
                              "[ \"$(tr -d '\\0')\" = '" PASSWORD "' ]\n";

typedef struct Pam {
        char *dir;
} Pam;

static void pam_open(Pam *p) {
        _cleanup_free_ char *program = NULL;

        p->dir = test_dir();
        program = strprintf("%s/compare", p->dir);
        make_file(program, compare);
        ck_assert_int_eq(chmod(program, 0755), 0);
}

static void pam_close(Pam *p) {
        test_dir_freep(&p->dir);
}
#define _cleanup_pam_ _cleanup_(pam_close)

/* "%s" in @text is the program above. */
static void serve(Pam *p, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/" AUTH_PAM_SERVICE, p->dir), *content = NULL,
                            *copy = strdup(text);
        char *at = strstr(copy, "%s");

        if (at) {
                *at = '\0';
                content = strprintf("%s%s/compare%s", copy, p->dir, at + 2);
        }
        make_file(path, content ? content : text);
}

static int check(Pam *p, const char *username, const char *password, char **ret_message) {
        const PamCheck c = { .confdir = p->dir, .username = username, .address = "192.0.2.1" };
        _cleanup_free_ char *found = NULL;
        int r;

        *ret_message = mfree(*ret_message);
        r = pam_check_password(&c, password, &found, ret_message);
        if (r == AUTH_OK)
                ck_assert_str_eq(found, "alice");
        return r;
}

START_TEST(the_modules_decide) {
        static const struct {
                const char *service;
                int result;
                const char *message;
        } cases[] = {
                { "auth required pam_permit.so\naccount required pam_permit.so\n", AUTH_OK, NULL },
                { "auth required pam_deny.so\naccount required pam_permit.so\n", AUTH_WRONG, NULL },
                { "auth required pam_exec.so expose_authtok quiet %s\naccount required pam_permit.so\n",
                                AUTH_OK, NULL },
                { "auth required pam_permit.so\naccount required pam_deny.so\n", AUTH_DENIED, "locked" },
                /* asks twice, without the password that was given */
                { "auth required pam_ftp.so users=alice\nauth required pam_ftp.so users=alice\n"
                  "account required pam_permit.so\n",
                                AUTH_DENIED, "more than a password" },
                { "auth required pam_of_the_test.so\naccount required pam_permit.so\n", AUTH_FAILED,
                                "cannot be checked" },
                { "", AUTH_WRONG, NULL },
                { "auth required pam_unix.so\naccount required pam_unix.so\n", AUTH_WRONG, NULL },
        };
        _cleanup_free_ char *message = NULL;
        _cleanup_pam_ Pam p = {};

        pam_open(&p);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                serve(&p, cases[i].service);
                int r = check(&p, "alice", PASSWORD, &message);
                ck_assert_msg(r == cases[i].result, "%s: %d (%s)", cases[i].service, r, strempty(message));
                ck_assert_msg(!cases[i].message == !message &&
                                                (!message || strstr(message, cases[i].message)),
                                "%s: %s", cases[i].service, strempty(message));
        }
}
END_TEST

START_TEST(the_password_is_what_was_typed) {
        static const char *const wrong[] = { "x", PASSWORD " ", "p" };
        _cleanup_free_ char *message = NULL;
        _cleanup_pam_ Pam p = {};

        pam_open(&p);
        serve(&p, "auth required pam_exec.so expose_authtok quiet %s\naccount required pam_permit.so\n");
        ck_assert_int_eq(check(&p, "alice", PASSWORD, &message), AUTH_OK);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                ck_assert_int_eq(check(&p, "alice", wrong[i], &message), AUTH_WRONG);
        ck_assert_int_eq(check(&p, "bob", PASSWORD, &message), AUTH_WRONG);
}
END_TEST

START_TEST(an_account_is_looked_at_without_a_password) {
        _cleanup_free_ char *message = NULL;
        _cleanup_pam_ Pam p = {};
        PamCheck c = { .username = "alice", .address = "" };

        pam_open(&p);
        c.confdir = p.dir;
        serve(&p, "auth required pam_deny.so\naccount required pam_permit.so\n");
        ck_assert_int_eq(pam_check_account(&c, &message), AUTH_OK);
        serve(&p, "auth required pam_permit.so\naccount required pam_deny.so\n");
        ck_assert_int_eq(pam_check_account(&c, &message), AUTH_DENIED);
        serve(&p, "auth required pam_permit.so\naccount required pam_unix.so\n");
        c.username = "no-such-user-here";
        message = mfree(message);
        ck_assert_int_eq(pam_check_account(&c, &message), AUTH_ENDED);
}
END_TEST

/* --- with a manager -------------------------------------------------------------------------------- */

static Fixture *fixture; /* of open_bus() in the child */

/* The child has no event loop. */
static int open_bus(sd_bus **ret) {
        _cleanup_free_ char *address = strprintf("unix:path=%s/bus", fixture->dir);
        sd_bus *bus;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                *ret = bus;
        return r;
}

static int no_bus(sd_bus **ret) {
        return -ECONNREFUSED;
}

static int test_role(const char *name, uid_t *ret_uid, Role *ret) {
        *ret_uid = 4711;
        if (streq(name, "stranger"))
                return -ENOENT;
        *ret = streq(name, "nobody") ? ROLE_NONE : ROLE_OPERATOR;
        return streq(name, "unreadable") ? -EIO : 0;
}

/* As in production: another process, to which a socket leads. Meanwhile the manager runs here. */
static AuthAnswer decide(Fixture *f, const char *confdir, const AuthRequest *q, bool bus) {
        _cleanup_free_ char *text = auth_request_encode(q);
        const Auth auth = {
                .confdir = confdir, .open_bus = bus ? open_bus : no_bus, .role_of_login = test_role
        };
        char answer[AUTH_MESSAGE_MAX];
        AuthAnswer ret = {};
        int fds[2], status;
        ssize_t n;
        pid_t pid;

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                AuthRequest request = {};
                AuthAnswer a = {};
                int r;

                fixture = f;
                close(fds[0]);
                r = auth_read_request(fds[1], &request);
                if (r >= 0)
                        r = auth_decide(&auth, &request, &a);
                if (r >= 0)
                        r = auth_write_answer(fds[1], &a);
                auth_answer_done(&a);
                auth_request_done(&request);
                _exit(r < 0 ? 1 : 0);
        }
        close(fds[1]);
        ck_assert_int_eq(write(fds[0], text, strlen(text)), (int) strlen(text));
        while (poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, 0) == 0)
                ck_assert_int_ge(sd_event_run(f->event, 10 * USEC_PER_MSEC), 0);
        n = read(fds[0], answer, sizeof(answer));
        ck_assert_int_gt(n, 0);
        close(fds[0]);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(auth_answer_decode(answer, (size_t) n - 1, &ret), 0);
        return ret;
}

BUS_TEST(a_login_ends_with_a_token_and_a_refresh_with_another)
        _cleanup_pam_ Pam p = {};
        AuthRequest login = {
                .username = (char *) "alice", .password = (char *) PASSWORD, .address = (char *) "192.0.2.1"
        };
        AuthAnswer a, b, c;

        pam_open(&p);
        serve(&p, "auth required pam_exec.so expose_authtok quiet %s\naccount required pam_permit.so\n");
        a = decide(&f, p.dir, &login, true);
        ck_assert_int_eq(a.result, AUTH_OK);
        ck_assert_str_eq(a.username, "alice");
        ck_assert_int_eq(a.role, ROLE_OPERATOR);
        ck_assert_uint_le(a.expires_at, test_clock + 8 * USEC_PER_HOUR);
        ck_assert_uint_gt(a.expires_at, test_clock + 7 * USEC_PER_HOUR);

        AuthRequest refresh = { .token = a.token, .address = (char *) "192.0.2.1" };
        b = decide(&f, p.dir, &refresh, true);
        ck_assert_int_eq(b.result, AUTH_OK);
        ck_assert_str_ne(a.token, b.token);

        /* the account is looked at again */
        serve(&p, "auth required pam_permit.so\naccount required pam_deny.so\n");
        c = decide(&f, p.dir, &refresh, true);
        ck_assert_int_eq(c.result, AUTH_DENIED);
        auth_answer_done(&c);
        test_clock += 31 * USEC_PER_SEC;
        c = decide(&f, p.dir, &refresh, true);
        ck_assert_int_eq(c.result, AUTH_ENDED);
        auth_answer_done(&a);
        auth_answer_done(&b);
        auth_answer_done(&c);
BUS_TEST_END

BUS_TEST(whoever_has_no_role_gets_no_token)
        static const struct {
                const char *username;
                bool bus;
                int result;
                const char *message;
        } cases[] = {
                { "nobody", true, AUTH_DENIED, "hyper-viewer, hyper-operator and hyper-admin" },
                { "stranger", true, AUTH_DENIED, "hyper-viewer" },
                { "unreadable", true, AUTH_FAILED, "groups" },
                { "alice", false, AUTH_FAILED, "bus" },
        };
        _cleanup_pam_ Pam p = {};

        pam_open(&p);
        serve(&p, "auth required pam_permit.so\naccount required pam_permit.so\n");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                AuthRequest login = { .username = (char *) cases[i].username,
                        .password = (char *) "x",
                        .address = (char *) "" };
                AuthAnswer a = decide(&f, p.dir, &login, cases[i].bus);

                ck_assert_int_eq(a.result, cases[i].result);
                ck_assert_ptr_nonnull(strstr(a.message, cases[i].message));
                ck_assert_ptr_null(a.token);
                auth_answer_done(&a);
        }
BUS_TEST_END

START_TEST(messages_are_decoded_strictly) {
        static const char *const bad_requests[] = {
                "",
                "{}",
                "[]",
                "{\"username\":\"a\",\"password\":\"b\"}",
                "{\"username\":\"a\",\"address\":\"\"}",
                "{\"username\":\"a b\",\"password\":\"b\",\"address\":\"\"}",
                "{\"username\":\"a\",\"password\":\"\",\"address\":\"\"}",
                "{\"username\":\"a\",\"password\":\"b\",\"address\":\"x y\"}",
                "{\"token\":\"hyps_\",\"address\":\"\"}",
                "{\"username\":\"a\",\"password\":\"b\",\"address\":\"\",\"more\":1}",
        };
        static const char *const bad_answers[] = {
                "{}",
                "{\"result\":\"yes\"}",
                "{\"result\":\"ok\"}",
                "{\"result\":\"denied\"}",
                "{\"result\":\"ok\",\"username\":\"a\",\"token\":\"x\",\"role\":\"admin\",\"expires_at\":1}",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad_requests); i++) {
                AuthRequest q;

                ck_assert_msg(auth_request_decode(bad_requests[i], strlen(bad_requests[i]), &q) == -EBADMSG,
                                "%s", bad_requests[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad_answers); i++) {
                AuthAnswer a;

                ck_assert_msg(auth_answer_decode(bad_answers[i], strlen(bad_answers[i]), &a) == -EBADMSG,
                                "%s", bad_answers[i]);
        }
}
END_TEST

TEST_MAIN("auth", the_modules_decide, the_password_is_what_was_typed,
                an_account_is_looked_at_without_a_password,
                a_login_ends_with_a_token_and_a_refresh_with_another, whoever_has_no_role_gets_no_token,
                messages_are_decoded_strictly)
