/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "journal/journal-batch.h"
#include "unit/lib/test.h"

/* A socket in the place of journald's. */
typedef struct Receiver {
        char directory[32], path[64];
        int fd;
} Receiver;

static void receiver_up(Receiver *r) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        strcpy(r->directory, "/tmp/hyper-batch.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(r->directory));
        snprintf(r->path, sizeof(r->path), "%s/socket", r->directory);
        strcpy(address.sun_path, r->path);
        r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(r->fd, 0);
        ck_assert_int_eq(bind(r->fd, (struct sockaddr *) &address, sizeof(address)), 0);
}

static void receiver_down(Receiver *r) {
        close(r->fd);
        unlink(r->path);
        rmdir(r->directory);
}

static void expect(Receiver *r, const void *data, size_t size) {
        char buf[JOURNAL_BATCH_MAX];
        ssize_t n = recv(r->fd, buf, sizeof(buf), 0);

        ck_assert_int_eq(n, (ssize_t) size);
        ck_assert_int_eq(memcmp(buf, data, size), 0);
}

#define IDENTIFIER "SYSLOG_IDENTIFIER=test-journal-batch\n"

START_TEST(entries_are_one_datagram) {
        char *first[] = { (char *) "MESSAGE=one", (char *) "PRIORITY=6", NULL };
        char *second[] = { (char *) "MESSAGE=two", NULL };
        static const char wanted[] = "MESSAGE=one\nPRIORITY=6\n" IDENTIFIER "\nMESSAGE=two\n" IDENTIFIER;
        _cleanup_(journal_batch_done) JournalBatch b = {};
        Receiver r;

        program_invocation_short_name = (char *) "test-journal-batch";
        receiver_up(&r);
        ck_assert_int_eq(journal_batch_add(&b, first), 0);
        ck_assert_int_eq(journal_batch_add(&b, second), 0);
        ck_assert_uint_eq(b.n, 2);
        ck_assert_int_eq(journal_batch_send(&b, r.path), 0);
        ck_assert_uint_eq(b.n, 0);
        expect(&r, wanted, sizeof(wanted) - 1);
        /* Nothing is sent for nothing. */
        ck_assert_int_eq(journal_batch_send(&b, r.path), 0);
        ck_assert_int_lt(recv(r.fd, (char[1]){}, 1, 0), 0);
        receiver_down(&r);
}
END_TEST

/* A value with a newline cannot add fields. */
START_TEST(a_value_with_lines_has_its_length) {
        char *fields[] = { (char *) "MESSAGE=a\n_UID=0", NULL };
        const uint64_t length = htole64(strlen("a\n_UID=0"));
        _cleanup_(journal_batch_done) JournalBatch b = {};
        char wanted[128], *p = wanted;
        Receiver r;

        program_invocation_short_name = (char *) "test-journal-batch";
        receiver_up(&r);
        ck_assert_int_eq(journal_batch_add(&b, fields), 0);
        ck_assert_int_eq(journal_batch_send(&b, r.path), 0);
        p = mempcpy(p, "MESSAGE\n", 8);
        p = mempcpy(p, &length, sizeof(length));
        p = stpcpy(p, "a\n_UID=0\n" IDENTIFIER);
        expect(&r, wanted, (size_t) (p - wanted));
        receiver_down(&r);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
        _cleanup_(journal_batch_done) JournalBatch b = {};
        static char large[JOURNAL_BATCH_MAX] = "MESSAGE=";
        char *fields[] = { large, NULL }, *wrong[] = { (char *) "MESSAGE", NULL };

        memset(large + 8, 'x', sizeof(large) - 9);
        ck_assert_int_eq(journal_batch_add(&b, fields), -ENOBUFS);
        large[sizeof(large) - 100] = 0;
        ck_assert_int_eq(journal_batch_add(&b, fields), 0);
        ck_assert_int_eq(journal_batch_add(&b, fields), -ENOBUFS);
        ck_assert_uint_eq(b.n, 1);
        ck_assert_int_eq(journal_batch_add(&b, wrong), -EINVAL);
}
END_TEST

START_TEST(without_a_journald_entries_are_lost) {
        char *fields[] = { (char *) "MESSAGE=one", NULL };
        _cleanup_(journal_batch_done) JournalBatch b = {};

        ck_assert_int_eq(journal_batch_add(&b, fields), 0);
        ck_assert_int_eq(journal_batch_send(&b, "/nonexistent/socket"), 0);
        ck_assert_uint_eq(b.n, 0);
}
END_TEST

TEST_MAIN("journal-batch", entries_are_one_datagram, a_value_with_lines_has_its_length,
                what_does_not_fit_is_refused, without_a_journald_entries_are_lost)
