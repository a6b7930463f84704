/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* NBD servers (nbdkit's) and jobs that run beside a test. */

#include <glob.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "spec/job-result.h"
#include "unit/lib/job-front.h"

/* --- servers and jobs in the background ------------------------------------------------------------ */

static const ChildLimits no_limits = { .unconfined = true };

/* nbdkit on a socket that listens before it runs. */
static inline pid_t serve(const char *socket_path, const char *const argv[]) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        pid_t pid;

        ck_assert_uint_lt(strlen(socket_path), sizeof(sa.sun_path));
        strcpy(sa.sun_path, socket_path);
        (void) unlink(socket_path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(listen(fd, 64), 0);
        ck_assert_int_eq(child_spawn(argv, &no_limits, fd, -1, -1, &pid), 0);
        close(fd);
        return pid;
}

#define SERVE(path, ...) serve(path, (const char *const[]){ "nbdkit", "-f", __VA_ARGS__, NULL })

/* hyper-job run; its lines come from *ret_lines. */
static inline pid_t start_job(const Plan *p, FILE **ret_lines) {
        const char *const argv[] = { "./hyper-job", "run", p->directory, NULL };
        pid_t pid;
        int err[2];

        write_plan(p);
        ck_assert_int_eq(hyper_job("prepare", p->directory), 0);
        ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, err[1], &pid), 0);
        close(err[1]);
        *ret_lines = fdopen(err[0], "r");
        return pid;
}

static inline void wait_for_line(FILE *lines, const char *text) {
        char line[4096];

        while (fgets(line, sizeof(line), lines))
                if (strstr(line, text))
                        return;
        ck_abort_msg("the job ended without saying \"%s\"", text);
}

/* Bytes have moved: the second progress line of the copy. */
static inline void wait_for_progress(FILE *lines) {
        wait_for_line(lines, "Converting disk format: 0%");
        wait_for_line(lines, "Converting disk format: ");
}

/* Its exit status, or minus the signal. */
static inline int wait_job(pid_t pid, FILE *lines) {
        char line[4096];
        int status;

        while (fgets(line, sizeof(line), lines))
                ;
        fclose(lines);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Nobody else is left to do it; in a unit it is the unit's own /tmp. */
static inline void remove_runtime(pid_t pid) {
        _cleanup_free_ char *pattern = strprintf("/tmp/hyper-job.%d.*", pid);
        glob_t found;

        ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
        for (size_t i = 0; i < found.gl_pathc; i++)
                ck_assert_int_eq(nftw(found.gl_pathv[i], test_remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
        globfree(&found);
}

static inline void wait_for_checkpoint(const char *directory) {
        int fd = inotify_init1(IN_CLOEXEC);
        _cleanup_free_ char *checkpoint = strprintf("%s/checkpoint", directory);
        char buf[4096];

        ck_assert_int_ge(inotify_add_watch(fd, directory, IN_MOVED_TO), 0);
        while (!file_exists(checkpoint))
                ck_assert_int_gt(read(fd, buf, sizeof(buf)), 0);
        close(fd);
}

static inline json_int_t metric(const Plan *p, const char *name) {
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);
        json_t *value = json_object_get(r->metrics, name);

        ck_assert_msg(json_is_integer(value), "%s", name);
        return json_integer_value(value);
}

static inline void assert_ended(const Plan *p, JobOutcome outcome, const char *code) {
        _cleanup_(job_result_freep) JobResult *r = read_result(p->directory);

        ck_assert_msg(r->outcome == (int) outcome && streq_ptr(r->code, code), "%s: %s: %s",
                        job_outcome_to_string((JobOutcome) r->outcome), strna(r->code), strna(r->message));
}
