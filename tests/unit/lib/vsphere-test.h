/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sessions with the simulator, and what else the tests of vsphere/ share. */

#include <fcntl.h>

#include "basic/fd-util.h"
#include "unit/lib/test.h"
#include "unit/lib/vcsim.h"
#include "vsphere/session.h"

#define _cleanup_session_ _cleanup_(session_freep)

/* The clock of the sessions, to be set by hand */
static usec_t test_now = USEC_PER_HOUR;

static inline usec_t test_clock(void) {
        return test_now;
}

static inline SessionOptions test_options(const Vcsim *v) {
        return (SessionOptions){
                .server = { .url = v->url, .ca = v->ca, .agent = "test", .cancel_fd = -1 },
                .username = VCSIM_USER,
                .password = VCSIM_PASSWORD,
                .clock = test_clock,
                .retry_delay = 10 * USEC_PER_MSEC,
        };
}

static inline Session *test_session(const SessionOptions *options) {
        _cleanup_free_ char *error = NULL;
        Session *s = NULL;
        int r = session_new(options, &s, &error);

        ck_assert_msg(r == 0, "%s: %s", strerror(-r), strempty(error));
        return s;
}

static inline Session *test_log_in(const Vcsim *v) {
        SessionOptions options = test_options(v);
        Session *s = test_session(&options);

        ck_assert_msg(session_login(s) == 0, "%s", session_error(s));
        return s;
}

/* A call that changes nothing */
static inline int test_call(Session *s) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};
        int r = soap_request_new("CurrentTime", "ServiceInstance", "ServiceInstance", &q);

        return r < 0 ? r : session_call(s, q, &answer);
}

/* The type of the fault that the last call has failed with */
static inline const char *test_fault(const Session *s) {
        return strempty(soap_error(session_soap(s))->fault);
}

/* A file of the sources */
static inline char *test_source(const char *name) {
        const char *srcdir = getenv("srcdir");

        return strprintf("%s/%s", srcdir ? srcdir : ".", name);
}

/* A new file in @dir */
static inline char *test_write(const char *dir, const char *name, const char *text) {
        char *path = strprintf("%s/%s", dir, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(pwrite_full(fd, text, strlen(text), 0), 0);
        return path;
}

#define assert_result(s, r, expected)                                                             \
        do {                                                                                      \
                int _r = (r);                                                                     \
                                                                                                  \
                ck_assert_msg(_r == (expected), "expected %s, got %s: %s", strerror(-(expected)), \
                                strerror(-_r), session_error(s));                                 \
        } while (false)
#define assert_contains(text, part) \
        ck_assert_msg(strstr((text), (part)) != NULL, "expected \"%s\" in: %s", (part), (text))
