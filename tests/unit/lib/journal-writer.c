/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "spec/job-spec.h"
#include "unit/lib/journal-writer.h"
#include "unit/lib/test.h"

static const char program[] = "/lib/systemd/systemd-journal-remote";

bool journal_writer_available(void) {
        return access(program, X_OK) == 0;
}

void journal_writer_start(JournalWriter *w, const char *directory) {
        _cleanup_free_ char *output = strprintf("--output=%s/test.journal", directory);
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        w->realtime = now_realtime();
        w->fd = fds[1];
        w->pid = fork();
        ck_assert_int_ge(w->pid, 0);
        if (w->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(fds[0], STDIN_FILENO);
                execl(program, program, "--split-mode=none", output, "-", NULL);
                _exit(127);
        }
        close(fds[0]);
}

void journal_writer_stop(JournalWriter *w) {
        int status;

        close(w->fd);
        ck_assert_int_eq(waitpid(w->pid, &status, 0), w->pid);
        ck_assert_int_eq(status, 0);
}

void journal_write(JournalWriter *w, const char *const *fields) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        /* Like journald's: an entry is never older than what was done before it was written. */
        w->realtime = MAX(w->realtime, now_realtime());
        fprintf(f, "__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64 "\n", w->realtime,
                        w->realtime);
        fprintf(f,
                        "_BOOT_ID=0123456789abcdef0123456789abcdef\n_MACHINE_ID="
                        "0123456789abcdef0123456789abcdef\n");
        for (const char *const *field = fields; *field; field++)
                fprintf(f, "%s\n", *field);
        fputc('\n', f);
        fclose(f);
        w->realtime += 1000;
        ck_assert_int_eq(write(w->fd, text, size), (ssize_t) size);
}

void journal_write_progress(JournalWriter *w, const char *job_id, const char *unit, const char *message) {
        _cleanup_free_ char *name = job_unit_name(job_id),
                            *u = strprintf("_SYSTEMD_UNIT=%s", unit ? unit : name),
                            *id = strprintf("HYPER_JOB_ID=%s", job_id),
                            *m = strprintf("MESSAGE=%s", message);

        journal_write(w,
                        (const char *[]){ u, id, m, "_SYSTEMD_SLICE=hyper-jobs.slice", "PRIORITY=6",
                                        "MESSAGE_ID=7c2f1b609e3d4a538a14510d7a670b13",
                                        "HYPER_EVENT=progress", "HYPER_PHASE=conversion", "HYPER_PERCENT=50",
                                        NULL });
}

void journal_write_state(JournalWriter *w, const char *job_id, const char *state, const char *reason) {
        _cleanup_free_ char *id = strprintf("HYPER_JOB_ID=%s", job_id),
                            *s = strprintf("HYPER_STATE=%s", state), *m = strprintf("MESSAGE=%s", reason);

        journal_write(w,
                        (const char *[]){ "_SYSTEMD_UNIT=hyper-managerd.service",
                                        "_SYSTEMD_SLICE=system.slice", id, s, m, "PRIORITY=6",
                                        "MESSAGE_ID=7c2f1b609e3d4a538a14510d7a670b11", "HYPER_EVENT=state",
                                        NULL });
}
