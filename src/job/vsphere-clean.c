/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-clean.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/part-directory.h"
#include "job/vsphere-session.h"
#include "job/vsphere-snapshot.h"
#include "vsphere/changes.h"
#include "vsphere/session.h"

#define NOBODY 65534
#define CLEAN_TIME_MAX 25u /* seconds: what systemd gives to "finish" is 30 */
#define PUT_BACK_TIME_MAX 540u /* snapshots may have to be consolidated */
#define RESULT JOB_RESULTS_DIRECTORY "/result.json"

static int give_up_rights(void) {
        if (geteuid() != 0)
                return 0;
        if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                        setresuid(NOBODY, NOBODY, NOBODY) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return 0;
}

/* What an attempt that was killed has noted; nothing if that cannot be read. */
static int read_noted(Attempt *a, VsphereNoted *ret) {
        _cleanup_free_ char *password = NULL;
        int r = vsphere_read_password(a, &password);

        if (r < 0)
                return r;
        r = vsphere_session_read(a->directory, password, ret);
        explicit_bzero(password, strlen(password));
        return r == -ENOMEM ? r : 0;
}

/* In the child. The password and the note are read before it gives up the right to. */
static int begin(Attempt *a, VsphereSource *v) {
        _cleanup_(vsphere_noted_done) VsphereNoted noted = {};
        int r = vsphere_prepare_login(v);

        if (r >= 0)
                r = read_noted(a, &noted);
        if (r >= 0)
                r = give_up_rights();
        if (r < 0 || !noted.cookie)
                return r;
        if (vsphere_noted_end(&noted, v->session) >= 0)
                report_note(&a->report, "The session of the attempt that was killed was ended");
        return 0;
}

static int log_in(VsphereSource *v) {
        int r = vsphere_login(v);

        return r < 0 ? r : vsphere_find(v);
}

/* In a process of its own, since it parses what a server sends: ends what an attempt that was killed has noted,
 * and does @work with another session, unless it is NULL. 0; -EIO: that has failed; -ETIMEDOUT. */
static int run_child(Attempt *a, unsigned time_max, int (*work)(VsphereSource *v, const bool *marks),
                const bool *marks) {
        int status = 0;
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                _cleanup_(vsphere_source_freep) VsphereSource *v = vsphere_source_new(a);

                alarm(time_max);
                int r = v ? begin(a, v) : -ENOMEM;
                if (r >= 0 && work)
                        r = log_in(v);
                if (r >= 0 && work)
                        r = work(v, marks);
                if (r < 0)
                        report_note(&a->report, "Cleaning up on the server failed: %s",
                                        a->message ? a->message : strerror(-r));
                report_sync(&a->report);
                v = vsphere_source_free(v);
                _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (WIFSIGNALED(status))
                return -ETIMEDOUT;
        return WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -EIO;
}

static int remove_snapshot(VsphereSource *v, _unused_ const bool *marks) {
        return vsphere_snapshot_remove_stale(v);
}

void vsphere_clean(Attempt *a) {
        bool snapshot, noted;

        if (a->plan->spec->source.type != ENDPOINT_VSPHERE)
                return;
        snapshot = marker_exists(a->directory_fd, VSPHERE_SNAPSHOT_MARK);
        noted = marker_exists(a->directory_fd, VSPHERE_SESSION_FILE);
        if (!snapshot && !noted)
                return;
        int r = run_child(a, CLEAN_TIME_MAX, snapshot ? remove_snapshot : NULL, NULL);
        /* It is not tried again: the server ends sessions that are not used. */
        vsphere_unmark(a, VSPHERE_SESSION_FILE);
        if (r >= 0)
                vsphere_unmark(a, VSPHERE_SNAPSHOT_MARK);
        else if (snapshot)
                report_note(&a->report,
                                "The job's snapshot was not removed%s: it is removed when the job runs "
                                "again; otherwise, remove it in vCenter",
                                r == -ETIMEDOUT ? ", since the server did not answer in time" : "");
}

/* --- putting a source back ------------------------------------------------------------------------- */

typedef enum Mark {
        MARK_SNAPSHOT,
        MARK_TRACKING,
        MARK_OFF,
        _MARK_MAX,
} Mark;

static const char *const mark_names[_MARK_MAX] = {
        [MARK_SNAPSHOT] = VSPHERE_SNAPSHOT_MARK,
        [MARK_TRACKING] = VSPHERE_TRACKING_MARK,
        [MARK_OFF] = VSPHERE_OFF_MARK,
};

static int power_on(VsphereSource *v) {
        const char *name = strna(v->vm.summary.name);

        if (v->vm.summary.power != VM_POWERED_OFF)
                return 0;
        int r = vm_power_on(v->session, v->vm.summary.id);
        if (r < 0)
                return vsphere_fail(v, r, "Powering %s on again", name);
        report_note(&v->attempt->report,
                        "%s was powered on again, since the migration has ended without a result", name);
        return 0;
}

static int disable_tracking(VsphereSource *v) {
        int r = v->vm.change_tracking ? changes_enable(v->session, v->vm.summary.id, false) : 0;

        return r < 0 ? vsphere_fail(v, r, "Disabling changed block tracking of %s",
                                       strna(v->vm.summary.name))
                     : 0;
}

static int put_back(VsphereSource *v, const bool *marks) {
        int r = vsphere_snapshot_remove_stale(v);

        if (r >= 0 && marks[MARK_TRACKING])
                r = disable_tracking(v);
        /* Last: it must be found done if all the rest is. */
        if (r >= 0 && marks[MARK_OFF] && v->attempt->plan->spec->parameters.power_on_after_failure)
                r = power_on(v);
        return r;
}

/* With the result gone, nothing can be published any more, whatever happens later. */
static int drop_result(Attempt *a) {
        _cleanup_close_ int fd =
                        openat(a->directory_fd, JOB_RESULTS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (unlinkat(a->directory_fd, RESULT, 0) < 0 && errno != ENOENT)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

static int put_back_unpublished(Attempt *a) {
        bool marks[_MARK_MAX], any = false;

        for (Mark i = 0; i < _MARK_MAX; i++) {
                marks[i] = marker_exists(a->directory_fd, mark_names[i]);
                any = any || marks[i];
        }
        if (!any)
                return 0;
        int r = drop_result(a);
        if (r >= 0)
                r = run_child(a, PUT_BACK_TIME_MAX, put_back, marks);
        for (Mark i = 0; r >= 0 && i < _MARK_MAX; i++)
                vsphere_unmark(a, mark_names[i]);
        return r;
}

int verb_put_back(const char *directory) {
        _cleanup_attempt_ Attempt *a = NULL;
        int r = attempt_open(directory, &a);

        if (r < 0)
                return EXIT_FAILURE;
        if (a->plan->spec->source.type != ENDPOINT_VSPHERE ||
                        marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return EXIT_SUCCESS;
        /* The renames were interrupted: they have to be completed or taken back first. */
        if (marker_exists(a->directory_fd, RECORD_PUBLISHING))
                r = log_error_errno(-EBUSY, "The output may be published, so that its source stays off");
        else
                r = put_back_unpublished(a);
        report_sync(&a->report);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
