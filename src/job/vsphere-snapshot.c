/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "vsphere/snapshot.h"

#define OFF_TIMEOUT (120 * USEC_PER_SEC)
/* A file that is still open elsewhere locks a snapshot. */
#define REMOVE_PATIENCE (600 * USEC_PER_SEC)
#define REMOVE_PAUSE (5 * USEC_PER_SEC)
/* The server goes on creating a snapshot when the job that has asked for it is killed. */
#define APPEAR_PATIENCE 15u
#define APPEAR_PAUSE (500 * USEC_PER_MSEC)

/* --- snapshots ------------------------------------------------------------------------------------- */

static int write_mark(Attempt *a, const char *name, const char *text) {
        int r = write_file_atomic_at(a->directory_fd, name, text, strlen(text), 0600);

        return r < 0 ? attempt_fail(a, r, NULL, "Writing %s/%s failed: %s", a->directory, name, strerror(-r))
                     : 0;
}

int vsphere_mark(Attempt *a, const char *name) {
        return write_mark(a, name, "");
}

void vsphere_unmark(const Attempt *a, const char *name) {
        (void) unlinkat(a->directory_fd, name, 0);
}

/* The mark is empty until the snapshot is there. */
unsigned vsphere_snapshot_patience(const Attempt *a) {
        struct stat st;

        return fstatat(a->directory_fd, VSPHERE_SNAPSHOT_MARK, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
                                        st.st_size == 0
                        ? APPEAR_PATIENCE
                        : 0;
}

static int read_again(VsphereSource *v) {
        _cleanup_free_ char *id = TAKE_PTR(v->vm.summary.id);

        vm_detail_done(&v->vm);
        int r = vm_read(v->session, id, &v->vm);
        return r < 0 ? vsphere_fail(v, r, "Reading the VM %s", id) : 0;
}

/* -ENOENT: it is not there, and does not appear within @patience seconds. */
static int find_stale(VsphereSource *v, const char *name, unsigned patience, char **ret_id) {
        usec_t deadline = now_monotonic() + patience * USEC_PER_SEC;

        for (;;) {
                int r = snapshot_find(v->session, v->vm.summary.id, name, ret_id);

                if (r != -ENOENT || now_monotonic() >= deadline)
                        return r;
                r = soap_sleep(session_soap(v->session), APPEAR_PAUSE);
                if (r < 0)
                        return r;
        }
}

int vsphere_snapshot_remove_stale(VsphereSource *v, unsigned patience) {
        _cleanup_free_ char *name = vsphere_snapshot_name(v->attempt), *id = NULL;

        if (!name)
                return -ENOMEM;
        vsphere_lock(v);
        int r = find_stale(v, name, patience, &id);
        if (r >= 0) {
                report_note(&v->attempt->report, "Removing the snapshot \"%s\" of an earlier attempt", name);
                r = snapshot_remove(v->session, id, VSPHERE_REMOVE_TIMEOUT, NULL, NULL);
                if (r >= 0)
                        r = read_again(v); /* its disks are others now */
        }
        r = r == -ENOENT ? 0 : r;
        if (r < 0)
                r = vsphere_fail(v, r, "Removing the snapshot \"%s\" of an earlier attempt", name);
        else
                vsphere_unmark(v->attempt, VSPHERE_SNAPSHOT_MARK);
        vsphere_unlock(v);
        return r;
}

/* What a call has failed for that the server may have accepted nevertheless. */
static bool may_have_begun(int error) {
        return error == -ETIMEDOUT || error == -ECONNRESET || error == -ECANCELED || error == -ENOMEM ||
                        error == -EBADMSG || error == -EFBIG || error == -EKEYEXPIRED;
}

int vsphere_snapshot_create(VsphereSource *v) {
        _cleanup_free_ char *name = vsphere_snapshot_name(v->attempt);

        if (!name)
                return -ENOMEM;
        int r = vsphere_mark(v->attempt, VSPHERE_SNAPSHOT_MARK);
        if (r < 0)
                return r;
        report_note(&v->attempt->report, "Creating the snapshot \"%s\" of %s", name,
                        strna(v->vm.summary.name));
        vsphere_lock(v);
        /* One that is being created cannot be removed: a cancel waits. */
        session_set_cancel_fd(v->session, -1);
        r = snapshot_create(v->session, v->vm.summary.id, name, "Created to copy the disks of the VM", false,
                        &v->snapshot);
        if (r < 0 && !may_have_begun(r))
                vsphere_unmark(v->attempt, VSPHERE_SNAPSHOT_MARK);
        if (r < 0)
                r = vsphere_fail(v, r, "Creating a snapshot of %s", strna(v->vm.summary.name));
        session_set_cancel_fd(v->session, v->attempt->cancel_fd);
        vsphere_unlock(v);
        return r < 0 ? r : write_mark(v->attempt, VSPHERE_SNAPSHOT_MARK, "created\n");
}

int vsphere_snapshot_end(VsphereSource *v, usec_t timeout) {
        if (!v->snapshot)
                return 0;
        vsphere_lock(v);
        int r = snapshot_remove(v->session, v->snapshot, timeout, NULL, NULL);
        if (r < 0)
                report_note(&v->attempt->report, "Removing the snapshot of %s failed: %s",
                                strna(v->vm.summary.name), session_error(v->session));
        else
                vsphere_unmark(v->attempt, VSPHERE_SNAPSHOT_MARK);
        vsphere_unlock(v);
        v->snapshot = r < 0 ? v->snapshot : mfree(v->snapshot);
        return r;
}

/* A file that another program reads is locked. */
static bool may_be_removed_later(int error) {
        return error == -EBUSY || error == -EREMOTEIO || error == -ETIMEDOUT || error == -ECONNRESET;
}

int vsphere_snapshot_remove(VsphereSource *v) {
        usec_t deadline = now_monotonic() + REMOVE_PATIENCE;
        _cleanup_free_ char *name = vsphere_snapshot_name(v->attempt);
        int r;

        if (!name)
                return -ENOMEM;
        while ((r = vsphere_snapshot_end(v, VSPHERE_REMOVE_TIMEOUT)) < 0) {
                if (!may_be_removed_later(r) || now_monotonic() >= deadline)
                        break;
                int k = soap_sleep(session_soap(v->session), REMOVE_PAUSE);
                if (k < 0)
                        return k;
        }
        if (r < 0 && r != -ECANCELED)
                return attempt_fail(v->attempt, r, r == -EPERM ? "vsphere_permission" : "vsphere_busy",
                                "Removing the snapshot \"%s\" of %s failed: %s: see which program reads "
                                "it, or remove it in vCenter",
                                name, strna(v->vm.summary.name), session_error(v->session));
        return r;
}

/* --- power ----------------------------------------------------------------------------------------- */

int vsphere_mark_off(VsphereSource *v) {
        _cleanup_free_ char *since = NULL;

        vsphere_lock(v);
        int r = vm_read_boot_time(v->session, v->vm.summary.id, &since);
        if (r < 0)
                r = vsphere_fail(v, r, "Reading when %s was powered on", strna(v->vm.summary.name));
        vsphere_unlock(v);
        return r < 0 ? r : write_mark(v->attempt, VSPHERE_OFF_MARK, since);
}

/* Nobody waits for a VM to go off that was not asked to. */
static void forget_refused(VsphereSource *v, int r) {
        if (r < 0 && !may_have_begun(r))
                vsphere_unmark(v->attempt, VSPHERE_OFF_MARK);
}

static int power_off(VsphereSource *v, bool asked) {
        report_note(&v->attempt->report, "Powering off %s", strna(v->vm.summary.name));
        int r = vm_power_off(v->session, v->vm.summary.id);
        if (!asked)
                forget_refused(v, r);
        if (r >= 0)
                r = vm_wait_power(v->session, v->vm.summary.id, VM_POWERED_OFF, OFF_TIMEOUT);
        return r < 0 ? vsphere_fail(v, r, "Powering off %s", strna(v->vm.summary.name)) : 0;
}

static int shut_down(VsphereSource *v) {
        const char *id = v->vm.summary.id, *name = strna(v->vm.summary.name);
        const JobSpec *spec = v->attempt->plan->spec;
        bool force = spec->parameters.power_off;

        report_note(&v->attempt->report, "Shutting down the guest of %s", name);
        int r = vm_shutdown_guest(v->session, id);
        if (!force || r != -EOPNOTSUPP)
                forget_refused(v, r);
        if (r >= 0)
                r = vm_wait_power(v->session, id, VM_POWERED_OFF,
                                (usec_t) spec->parameters.shutdown_timeout * USEC_PER_SEC);
        if (r >= 0 || r == -ECANCELED)
                return r;
        /* It was suspended, or is just being switched. */
        if (r == -EBADFD)
                return attempt_fail(v->attempt, r, "vsphere_failed",
                                "Shutting down the guest of %s failed: %s: leave its power state to the job",
                                name, session_error(v->session));
        if (force && (r == -ETIMEDOUT || r == -EOPNOTSUPP))
                return power_off(v, r == -ETIMEDOUT);
        if (r == -ETIMEDOUT)
                return attempt_fail(v->attempt, r, "vsphere_shutdown",
                                "The guest of %s did not shut down within %" PRIu64
                                " seconds: shut it down, raise parameters.shutdown_timeout_seconds, or set "
                                "parameters.power_off",
                                name, (uint64_t) spec->parameters.shutdown_timeout);
        if (r == -EOPNOTSUPP)
                return attempt_fail(v->attempt, r, "vsphere_shutdown",
                                "The guest of %s cannot be shut down, since no VMware Tools run in it: shut "
                                "it down, or set parameters.power_off",
                                name);
        return vsphere_fail(v, r, "Shutting down the guest of %s", name);
}

int vsphere_turn_off(VsphereSource *v, int power) {
        vsphere_lock(v);
        int r = power == VSPHERE_POWER_OFF ? power_off(v, false) : shut_down(v);
        if (r >= 0)
                r = read_again(v);
        vsphere_unlock(v);
        return r;
}

int vsphere_snapshot_begin(VsphereSource *v) {
        int power = v->attempt->plan->spec->parameters.source_power;

        if (v->vm.summary.power == VM_POWERED_OFF)
                return 0;
        if (v->vm.summary.power == VM_SUSPENDED && power != VSPHERE_POWER_OFF)
                return attempt_fail(v->attempt, EOPNOTSUPP, "unsupported",
                                "%s is suspended, so that its disks do not hold all that its guest has "
                                "written: start it and shut it down, or set parameters.source_power to "
                                "\"poweroff\", which loses what is in its memory",
                                strna(v->vm.summary.name));
        return power == VSPHERE_POWER_KEEP ? vsphere_snapshot_create(v) : vsphere_turn_off(v, power);
}
