/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "job/report.h"
#include "unit/lib/test.h"

static int manager_socket(char path[static 64]) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char directory[] = "/tmp/hyper-report.XXXXXX";
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(path, 64, "%s/notify", directory);
        strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
        return fd;
}

static void read_status(int fd, char text[static 256]) {
        ssize_t n = recv(fd, text, 255, 0);

        ck_assert_int_gt(n, 0);
        text[n] = 0;
}

/* systemd tells followers of the journal of a new status, and of no other. */
START_TEST(equal_messages_are_different_statuses) {
        char path[64], first[256], second[256], third[256];
        int fd = manager_socket(path);
        Report r;

        report_init(&r, "job");
        for (int i = 0; i < 3; i++)
                report_note(&r, "Waiting");
        read_status(fd, first);
        read_status(fd, second);
        read_status(fd, third);
        ck_assert_str_eq(first, "STATUS=Waiting");
        ck_assert_str_eq(second, "STATUS=Waiting ");
        ck_assert_str_eq(third, "STATUS=Waiting");

        unsetenv("NOTIFY_SOCKET");
        close(fd);
        unlink(path);
        *strrchr(path, '/') = 0;
        rmdir(path);
}
END_TEST

TEST_MAIN("job-report", equal_messages_are_different_statuses)
