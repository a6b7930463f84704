/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions against the simulator: trust, login, renewal, busy servers, broken connections */
#include "vsphere/session.h"

#include <sys/eventfd.h>

#include "basic/fd-util.h"
#include "unit/lib/vsphere-test.h"
#include "vsphere/property.h"

static int read_name(Session *s, const char *id) {
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;

        return property_read(s, "VirtualMachine", id, PROPERTIES("name"), &answer, &o);
}

START_TEST(a_session_is_one_session) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);

        ck_assert(session_is_open(s));
        ck_assert(session_server(s)->vcenter);
        ck_assert_str_eq(session_server(s)->property_collector, "propertyCollector");
        ck_assert_uint_eq(vcsim_sessions(&v), 1);
        assert_result(s, test_call(s), 0);
        session_logout(s);
        ck_assert(!session_is_open(s));
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
}
END_TEST

START_TEST(a_wrong_password_is_tried_once) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        SessionOptions options = test_options(&v);
        options.password = "wrong";
        _cleanup_session_ Session *s = test_session(&options);

        assert_result(s, session_login(s), -EACCES);
        ck_assert_str_eq(test_fault(s), "InvalidLogin");
        ck_assert_ptr_null(strstr(session_error(s), "wrong"));
        assert_result(s, session_login(s), -EACCES);
        ck_assert_uint_eq(vcsim_calls(&v, "Login"), 1);
}
END_TEST

static char *thumbprint_in(const char *error) {
        const char *at = strstr(error, "SHA-256 thumbprint ");

        ck_assert_msg(at != NULL, "%s", error);
        at += strlen("SHA-256 thumbprint ");
        ck_assert_uint_eq(strspn(at, "0123456789ABCDEF:"), 95);
        return strndup(at, 95);
}

START_TEST(only_the_right_certificate_is_accepted) {
        static const char *const kinds[] = { "expired", "wrong-host", "unknown-ca" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_free_ char *path = strprintf("/certificate?kind=%s", kinds[i]);
                SessionOptions options = test_options(&v);
                _cleanup_session_ Session *s = test_session(&options), *pinned = NULL;
                _cleanup_free_ char *thumbprint = NULL;

                vcsim_control(&v, path);
                assert_result(s, session_login(s), -EKEYREJECTED);

                /* The person compares it, and configures it. */
                thumbprint = thumbprint_in(session_error(s));
                options.server.ca = NULL;
                options.server.thumbprint = thumbprint;
                pinned = test_session(&options);
                assert_result(pinned, session_login(pinned), 0);
                session_logout(pinned);
        }
}
END_TEST

START_TEST(a_thumbprint_is_one_certificate) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        SessionOptions options = test_options(&v);
        _cleanup_session_ Session *s = NULL, *old = NULL, *wrong = NULL;
        _cleanup_free_ char *other = strdup(v.thumbprint);

        options.server.ca = NULL;
        options.server.thumbprint = v.thumbprint;
        s = test_session(&options);
        assert_result(s, session_login(s), 0);
        session_logout(s);

        options.server.thumbprint = v.sha1;
        old = test_session(&options);
        assert_result(old, session_login(old), 0);
        session_logout(old);

        other[0] = other[0] == 'A' ? 'B' : 'A';
        options.server.thumbprint = other;
        wrong = test_session(&options);
        assert_result(wrong, session_login(wrong), -EKEYREJECTED);
        assert_contains(session_error(wrong), v.thumbprint);
}
END_TEST

START_TEST(the_system_does_not_know_a_strange_ca) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        SessionOptions options = test_options(&v);
        options.server.ca = NULL;
        _cleanup_session_ Session *s = test_session(&options);

        assert_result(s, session_login(s), -EKEYREJECTED);
        assert_contains(session_error(s), v.thumbprint);
}
END_TEST

START_TEST(wrong_options_are_refused) {
        static const struct {
                const char *url, *ca, *thumbprint, *text;
        } cases[] = {
                { "http://vc", NULL, NULL, "https" },
                { "https://user:secret@vc", NULL, NULL, "more than a host" },
                { "https://vc/ui", NULL, NULL, "path" },
                { "https://vc/sdk?x=y", NULL, NULL, "more than a host" },
                { "https://", NULL, NULL, "malformed" },
                { "vc", "no PEM", NULL, "PEM" },
                { "vc", NULL, "AA:BB", "SHA-256" },
                { "vc", NULL, "not hexadecimal", "SHA-256" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                SessionOptions options = { .username = "u", .password = "p" };
                _cleanup_free_ char *error = NULL;
                Session *s = NULL;

                options.server.url = cases[i].url;
                options.server.ca = cases[i].ca;
                options.server.thumbprint = cases[i].thumbprint;
                ck_assert_int_eq(session_new(&options, &s, &error), -EINVAL);
                assert_contains(error, cases[i].text);
                ck_assert_ptr_null(strstr(error, "secret"));
        }
}
END_TEST

START_TEST(a_session_that_has_ended_is_renewed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "DC0_C0_RP0_VM0");
        unsigned generation = session_generation(s);

        vcsim_control(&v, "/sessions/end");
        test_now += 2 * USEC_PER_MINUTE;
        assert_result(s, test_call(s), 0);
        ck_assert_uint_ne(session_generation(s), generation);
        vcsim_control(&v, "/sessions/end");
        test_now += 2 * USEC_PER_MINUTE;
        assert_result(s, read_name(s, vm), 0);
        ck_assert_uint_eq(vcsim_sessions(&v), 1);
        session_logout(s);
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
}
END_TEST

START_TEST(a_session_is_renewed_once_a_minute) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);

        vcsim_control(&v, "/sessions/end");
        test_now += USEC_PER_MINUTE / 2;
        assert_result(s, test_call(s), -EKEYEXPIRED);
        ck_assert_uint_eq(vcsim_calls(&v, "Login"), 1);
        test_now += USEC_PER_MINUTE;
        assert_result(s, test_call(s), 0);
        ck_assert_uint_eq(vcsim_calls(&v, "Login"), 2);
        session_logout(s);
}
END_TEST

START_TEST(a_busy_server_is_asked_again) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = NULL;
        SessionOptions options = test_options(&v);

        vcsim_fault(&v, "{\"on\":\"sdk\",\"method\":\"Login\",\"kind\":\"http\",\"status\":503,\"count\":2}");
        s = test_log_in(&v);
        vcsim_fault(&v, "{\"on\":\"sdk\",\"method\":\"CurrentTime\",\"kind\":\"http\",\"status\":503}");
        assert_result(s, test_call(s), -EBUSY);
        assert_contains(session_error(s), "busy");
        vcsim_no_faults(&v);
        session_logout(s);
        ck_assert_uint_eq(options.retries, 0);
}
END_TEST

START_TEST(too_many_sessions_are_a_busy_server) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-max-sessions", "1", NULL);
        _cleanup_session_ Session *s = test_log_in(&v), *other = NULL;
        SessionOptions options = test_options(&v);

        options.retries = 1;
        other = test_session(&options);
        assert_result(other, session_login(other), -EBUSY);
        session_logout(s);
        assert_result(other, session_login(other), 0);
        session_logout(other);
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
}
END_TEST

/* Some servers have a fault for it. */
START_TEST(a_limit_of_sessions_may_be_a_fault) {
        static const char *const faults[] = { "LimitExceeded", "SystemError", "ResourceInUse" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        SessionOptions options = test_options(&v);

        options.retries = 2;
        for (size_t i = 0; i < ELEMENTSOF(faults); i++) {
                _cleanup_session_ Session *s = test_session(&options);
                _cleanup_free_ char *fault =
                                strprintf("{\"on\":\"sdk\",\"method\":\"Login\",\"kind\":\"soap\","
                                          "\"fault\":\"%s\",\"message\":\"Too many sessions\","
                                          "\"count\":5}",
                                                faults[i]);
                unsigned before = vcsim_calls(&v, "Login");

                vcsim_fault(&v, fault);
                assert_result(s, session_login(s), -EBUSY);
                ck_assert_uint_eq(vcsim_calls(&v, "Login"), before + 3);
                assert_contains(session_error(s), "Too many sessions");
                assert_contains(session_error(s), faults[i]);
                /* Twice more, and then there is room. */
                assert_result(s, session_login(s), 0);
                session_logout(s);
                vcsim_no_faults(&v);
        }
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
}
END_TEST

/* By a process that knows nothing but the cookie. */
START_TEST(a_session_of_another_process_is_ended) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v), *other = NULL;
        _cleanup_free_ char *cookie = strdup(soap_cookie(session_soap(s)));
        SessionOptions options = test_options(&v);

        other = test_session(&options);
        assert_result(other, session_adopt(other, "x=y"), -EINVAL);
        assert_result(other, session_adopt(other, "vmware_soap_session=a\r\nHost: b"), -EINVAL);
        ck_assert(!session_is_open(other));
        assert_result(other, session_adopt(other, cookie), 0);
        assert_result(other, test_call(other), 0);
        session_logout(other);
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
        /* It is not renewed. */
        assert_result(other, session_adopt(other, cookie), 0);
        assert_result(other, test_call(other), -EKEYEXPIRED);
        ck_assert_uint_eq(vcsim_calls(&v, "Login"), 1);
}
END_TEST

/* Each answer is cut off at each byte of its beginning, and then somewhere. */
START_TEST(answers_that_break_off_are_asked_for_again) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "DC0_C0_RP0_VM0");

        for (unsigned at = 0; at < 600; at += 37) {
                _cleanup_free_ char *fault = strprintf(
                                "{\"on\":\"sdk\",\"method\":\"RetrievePropertiesEx\",\"kind\":\"reset\",\"at\":%u,"
                                "\"count\":1}",
                                at);

                vcsim_fault(&v, fault);
                assert_result(s, read_name(s, vm), 0);
        }
        vcsim_fault(&v, "{\"on\":\"sdk\",\"method\":\"RetrievePropertiesEx\",\"kind\":\"reset\",\"at\":9}");
        assert_result(s, read_name(s, vm), -ECONNRESET);
        vcsim_no_faults(&v);
        session_logout(s);
}
END_TEST

START_TEST(a_login_that_breaks_off_leaves_no_session) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        SessionOptions options = test_options(&v);
        _cleanup_session_ Session *s = test_session(&options);

        vcsim_fault(&v, "{\"on\":\"sdk\",\"method\":\"Login\",\"kind\":\"reset\",\"at\":20,\"count\":2}");
        assert_result(s, session_login(s), 0);
        ck_assert_uint_eq(vcsim_sessions(&v), 1);
        session_logout(s);
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
}
END_TEST

START_TEST(a_call_can_be_cancelled) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC);
        _cleanup_session_ Session *s = test_log_in(&v);

        session_set_cancel_fd(s, fd);
        vcsim_fault(&v, "{\"on\":\"sdk\",\"method\":\"CurrentTime\",\"kind\":\"delay\",\"delay_ms\":600000}");
        ck_assert_int_eq(eventfd_write(fd, 1), 0);
        assert_result(s, test_call(s), -ECANCELED);
        /* The session ends all the same. */
        session_logout(s);
        ck_assert_uint_eq(vcsim_sessions(&v), 0);
}
END_TEST

START_TEST(a_call_has_a_time_limit) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);

        soap_set_timeout(session_soap(s), 100 * USEC_PER_MSEC);
        vcsim_fault(&v, "{\"on\":\"sdk\",\"method\":\"CurrentTime\",\"kind\":\"delay\",\"delay_ms\":600000}");
        assert_result(s, test_call(s), -ETIMEDOUT);
        session_logout(s);
}
END_TEST

START_TEST(nothing_that_listens_is_an_error_of_its_own) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        SessionOptions options = test_options(&v);
        _cleanup_session_ Session *s = test_session(&options), *nowhere = NULL;

        vcsim_stop(&v);
        assert_result(s, session_login(s), -ECONNREFUSED);
        options = (SessionOptions){ .server = { .url = "does-not-exist.invalid", .cancel_fd = -1 },
                .username = "u",
                .password = "p" };
        nowhere = test_session(&options);
        assert_result(nowhere, session_login(nowhere), -EHOSTUNREACH);
}
END_TEST

START_TEST(faults_have_their_type) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);

        assert_result(s, read_name(s, "vm-does-not-exist"), -ENOENT);
        ck_assert_str_eq(test_fault(s), "ManagedObjectNotFound");
        vcsim_fault(&v,
                        "{\"on\":\"sdk\",\"method\":\"CurrentTime\",\"kind\":\"soap\",\"fault\":\"NoPermission\","
                        "\"message\":\"Permission to perform this operation was denied.\"}");
        assert_result(s, test_call(s), -EPERM);
        ck_assert_str_eq(test_fault(s), "NoPermission");
        assert_contains(session_error(s), "Permission to perform this operation was denied. (NoPermission)");
        session_logout(s);
}
END_TEST

TEST_MAIN("vsphere-session", a_session_is_one_session, a_wrong_password_is_tried_once,
                only_the_right_certificate_is_accepted, a_thumbprint_is_one_certificate,
                the_system_does_not_know_a_strange_ca, wrong_options_are_refused,
                a_session_that_has_ended_is_renewed, a_session_is_renewed_once_a_minute,
                a_busy_server_is_asked_again, too_many_sessions_are_a_busy_server,
                a_limit_of_sessions_may_be_a_fault, a_session_of_another_process_is_ended,
                answers_that_break_off_are_asked_for_again, a_login_that_breaks_off_leaves_no_session,
                a_call_can_be_cancelled, a_call_has_a_time_limit,
                nothing_that_listens_is_an_error_of_its_own, faults_have_their_type)
