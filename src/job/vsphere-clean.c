/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-clean.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "job/source-vsphere.h"
#include "job/vsphere-snapshot.h"
#include "vsphere/session.h"

#define NOBODY 65534
#define TIME_MAX 25u /* seconds: what systemd gives to "finish" is 30 */

static int give_up_rights(void) {
        if (geteuid() != 0)
                return 0;
        if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                        setresuid(NOBODY, NOBODY, NOBODY) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return 0;
}

/* In the child. The password is read before it gives up the right to. */
static int clean(Attempt *a) {
        _cleanup_(vsphere_source_freep) VsphereSource *v = vsphere_source_new(a);

        if (!v)
                return -ENOMEM;
        alarm(TIME_MAX);
        int r = vsphere_prepare_login(v);
        if (r >= 0)
                r = give_up_rights();
        if (r >= 0)
                r = vsphere_login(v);
        if (r >= 0)
                r = vsphere_find(v);
        return r < 0 ? r : vsphere_snapshot_remove_stale(v);
}

static void run_child(Attempt *a) {
        int r = clean(a);

        if (r < 0)
                report_note(&a->report,
                                "The job's snapshot was not removed: %s. It is removed when the job runs "
                                "again; otherwise, remove it in vCenter",
                                a->message ? a->message : strerror(-r));
        report_sync(&a->report);
        _exit(EXIT_SUCCESS);
}

void vsphere_clean(Attempt *a) {
        struct stat st;
        int status;

        if (a->plan->spec->source.type != ENDPOINT_VSPHERE ||
                        fstatat(a->directory_fd, VSPHERE_SNAPSHOT_MARK, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return;
        pid_t pid = fork();
        if (pid == 0)
                run_child(a);
        if (pid < 0)
                log_warning_errno(errno, "Failed to start a process: %m");
        while (pid > 0 && waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return;
        if (pid > 0 && WIFSIGNALED(status))
                log_warning("The job's snapshot may still be there: the server did not answer in time");
}
