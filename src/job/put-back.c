/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/put-back.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/attempt.h"
#include "job/part-directory.h"
#include "job/part-lock.h"
#include "job/publish.h"
#include "job/vsphere-child.h"
#include "job/vsphere-snapshot.h"
#include "spec/job-remains.h"

#define RESULT JOB_RESULTS_DIRECTORY "/result.json"

/* Seconds; the sum is below PUT_BACK_TIME of the manager. */
#define LOGIN_TIME_MAX 60u
#define TASK_TIME_MAX 120u
#define SHUTDOWN_TIME_MAX 240u
/* For a guest that did not shut down in the time that it was given. */
#define SHUTDOWN_GRACE_MAX 60u

typedef enum Mark {
        MARK_SNAPSHOT,
        MARK_TRACKING,
        MARK_OFF,
        _MARK_MAX,
} Mark;

/* What each mark stands for, in the order in which it is undone. The VM may be on while its snapshot is
 * removed, and comes last, so that all is done when it is on. */
static const struct {
        const char *name;
        VsphereTask task;
        const char *left; /* what is left otherwise, and the remedy */
} marks[_MARK_MAX] = {
        [MARK_SNAPSHOT] = { VSPHERE_SNAPSHOT_MARK, VSPHERE_REMOVE_SNAPSHOT,
                        "the snapshot was not removed: remove it in vCenter" },
        [MARK_TRACKING] = { VSPHERE_TRACKING_MARK, VSPHERE_DISABLE_TRACKING,
                        "changed block tracking is still enabled: set changeTrackingEnabled to false" },
        [MARK_OFF] = { VSPHERE_OFF_MARK, VSPHERE_POWER_ON, "it is off: power it on" },
};

typedef struct PutBack {
        Attempt *attempt;
        bool left[_MARK_MAX];
        char *why; /* the first failure, or NULL */
} PutBack;

static bool any_is_left(const PutBack *p) {
        for (Mark i = 0; i < _MARK_MAX; i++)
                if (p->left[i])
                        return true;
        return false;
}

/* --- what is left ---------------------------------------------------------------------------------- */

static char *describe(const PutBack *p) {
        const VsphereSpec *spec = &p->attempt->plan->spec->source.vsphere;
        char *text = strprintf("The virtual machine %s is not as it was before job %s (%s)",
                        spec->vm_path ? spec->vm_path : strna(spec->vm_uuid), p->attempt->plan->job_id,
                        p->why ? p->why : "restoring it was interrupted");

        for (Mark i = 0; i < _MARK_MAX && text; i++) {
                _cleanup_free_ char *before = text;

                text = strprintf("%s%s%s", before, p->left[i] ? "; " : "", p->left[i] ? marks[i].left : "");
        }
        return text;
}

static unsigned tries_before(const Attempt *a) {
        _cleanup_job_remains_ JobRemains *old = NULL;

        return job_remains_read(a->directory, &old) >= 0 ? old->tries : 0;
}

static int record(PutBack *p, unsigned tries) {
        Attempt *a = p->attempt;

        if (!any_is_left(p))
                return unlinkat(a->directory_fd, JOB_REMAINS_FILE, 0) < 0 && errno != ENOENT ? -errno : 0;
        _cleanup_free_ char *message = describe(p);
        const JobRemains remains = {
                .tries = MIN(tries, JOB_REMAINS_TRIES),
                .next_at = now_realtime() + job_remains_pause(tries),
                .message = message,
                .snapshot = p->left[MARK_SNAPSHOT],
                .change_tracking = p->left[MARK_TRACKING],
                .powered_off = p->left[MARK_OFF],
        };
        return message ? job_remains_write(&remains, a->directory) : -ENOMEM;
}

/* --- undoing it ------------------------------------------------------------------------------------ */

/* How long the guest may still be shutting down: the mark was made right before it was asked to. */
static unsigned shutdown_patience(const Attempt *a) {
        unsigned timeout = MIN(a->plan->spec->parameters.shutdown_timeout, SHUTDOWN_TIME_MAX);
        usec_t now = now_realtime(), until;
        struct stat st;

        if (fstatat(a->directory_fd, VSPHERE_OFF_MARK, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                        st.st_mtim.tv_sec < 0)
                return 0;
        until = ((usec_t) st.st_mtim.tv_sec + timeout + MIN(timeout, SHUTDOWN_GRACE_MAX)) * USEC_PER_SEC;
        return until <= now ? 0
                            : (unsigned) MIN((until - now) / USEC_PER_SEC + 1, (usec_t) SHUTDOWN_TIME_MAX);
}

static unsigned patience_of(const Attempt *a, Mark mark) {
        return mark == MARK_SNAPSHOT       ? vsphere_snapshot_patience(a)
                        : mark == MARK_OFF ? shutdown_patience(a)
                                           : 0;
}

static int keep_reason(PutBack *p, const VsphereReply *reply) {
        if (!p->why)
                p->why = strdup(reply->message);
        return p->why ? reply->r : -ENOMEM;
}

/* A VM that does not exist any more has nothing left. */
static int forget_vm(PutBack *p, const VsphereReply *reply) {
        report_note(&p->attempt->report, "There is nothing to restore on the server: %s", reply->message);
        for (Mark i = 0; i < _MARK_MAX; i++) {
                vsphere_unmark(p->attempt, marks[i].name);
                p->left[i] = false;
        }
        return 0;
}

static int undo(PutBack *p, VsphereChild *child, Mark mark) {
        VsphereReply reply;

        int r = vsphere_child_do(
                        child, marks[mark].task, TASK_TIME_MAX, patience_of(p->attempt, mark), &reply);
        if (r < 0)
                return keep_reason(p, &reply);
        vsphere_unmark(p->attempt, marks[mark].name);
        p->left[mark] = false;
        return 0;
}

/* One that fails is no reason not to do the others; after one that takes too long, with another session. */
static int log_in_and_undo(PutBack *p) {
        _cleanup_(vsphere_child_endp) VsphereChild *child = NULL;
        VsphereReply reply;
        int failed = 0;

        for (Mark i = 0; i < _MARK_MAX; i++) {
                if (!p->left[i])
                        continue;
                int r = child ? 0 : vsphere_child_start(p->attempt, LOGIN_TIME_MAX, &child, &reply);
                if (r == -ENOENT && streq(reply.code, "source_missing"))
                        return forget_vm(p, &reply);
                if (r < 0)
                        return keep_reason(p, &reply);
                r = undo(p, child, i);
                if (r == -ETIMEDOUT)
                        child = vsphere_child_end(child);
                failed = r < 0 ? r : failed;
        }
        return failed;
}

/* --- the output ------------------------------------------------------------------------------------ */

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

/* Images may have got their names when "finish" was interrupted. */
static int take_back_names(Attempt *a) {
        _cleanup_part_directory_ PartDirectory part = PART_DIRECTORY_INIT;
        _cleanup_close_ int lock_fd = -EBADF;
        _cleanup_free_ char *why = NULL;

        if (!marker_exists(a->directory_fd, RECORD_PUBLISHING))
                return 0;
        int r = part_directory_open(a->plan->part_dir, &part, &why);
        if (r >= 0 && part.fd < 0)
                r = -ENOENT;
        if (r >= 0)
                r = part_directory_check_record(part.fd, a->directory_fd, NULL);
        if (r >= 0)
                r = part_lock(part.fd, a->plan->job_id, 0, &lock_fd);
        return r < 0 ? r : outputs_unpublish(&part, a->directory_fd, &a->plan->spec->destination);
}

static int put_back(PutBack *p) {
        Attempt *a = p->attempt;
        int r = take_back_names(a);

        if (r >= 0)
                r = drop_result(a);
        if (r >= 0)
                return log_in_and_undo(p);
        p->why = strprintf(
                        "the output %s may be published: %s", a->plan->spec->destination.path, strerror(-r));
        return p->why ? r : -ENOMEM;
}

/* The try is recorded first: the process may be killed in it. */
static int put_back_unpublished(Attempt *a) {
        PutBack p = { .attempt = a };
        unsigned tries = tries_before(a) + 1;

        for (Mark i = 0; i < _MARK_MAX; i++)
                p.left[i] = marker_exists(a->directory_fd, marks[i].name);
        if (!a->plan->spec->parameters.power_on_after_failure && p.left[MARK_OFF]) {
                vsphere_unmark(a, marks[MARK_OFF].name);
                p.left[MARK_OFF] = false;
        }
        int r = record(&p, tries);
        if (r >= 0 && any_is_left(&p))
                r = put_back(&p);
        int k = record(&p, tries);
        if (any_is_left(&p)) {
                _cleanup_free_ char *text = describe(&p);
                report_note(&a->report, "%s", strna(text));
        }
        free(p.why);
        return r < 0 ? r : k;
}

int verb_put_back(const char *directory) {
        _cleanup_attempt_ Attempt *a = NULL;
        int r = attempt_open(directory, &a);

        if (r < 0)
                return EXIT_FAILURE;
        if (a->plan->spec->source.type != ENDPOINT_VSPHERE ||
                        marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return EXIT_SUCCESS;
        r = put_back_unpublished(a);
        report_sync(&a->report);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
