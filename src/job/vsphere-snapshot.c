/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-snapshot.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "vsphere/snapshot.h"

#define OFF_TIMEOUT (120 * USEC_PER_SEC)

/* --- snapshots ------------------------------------------------------------------------------------- */

static int mark(const Attempt *a) {
        int fd = openat(a->directory_fd, VSPHERE_SNAPSHOT_MARK, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                        0600);

        if (fd < 0)
                return -errno;
        int r = fsync(fd) < 0 ? -errno : 0;
        safe_close(fd);
        return r;
}

static void unmark(const Attempt *a) {
        (void) unlinkat(a->directory_fd, VSPHERE_SNAPSHOT_MARK, 0);
}

int vsphere_snapshot_remove_stale(VsphereSource *v) {
        _cleanup_free_ char *name = vsphere_snapshot_name(v->attempt), *id = NULL;

        if (!name)
                return -ENOMEM;
        vsphere_lock(v);
        int r = snapshot_find(v->session, v->vm.summary.id, name, &id);
        if (r >= 0) {
                report_note(&v->attempt->report, "Removing the snapshot \"%s\" of an earlier attempt", name);
                r = snapshot_remove(v->session, id, VSPHERE_REMOVE_TIMEOUT, NULL, NULL);
        }
        r = r == -ENOENT ? 0 : r;
        if (r < 0)
                r = vsphere_fail(v, r, "Removing the snapshot \"%s\" of an earlier attempt", name);
        else
                unmark(v->attempt);
        vsphere_unlock(v);
        return r;
}

static int create(VsphereSource *v) {
        _cleanup_free_ char *name = vsphere_snapshot_name(v->attempt);

        if (!name)
                return -ENOMEM;
        int r = mark(v->attempt);
        if (r < 0)
                return attempt_fail(v->attempt, r, NULL, "Noting that there is a snapshot failed: %s",
                                strerror(-r));
        report_note(&v->attempt->report, "Creating the snapshot \"%s\" of %s, which is running", name,
                        strna(v->vm.summary.name));
        vsphere_lock(v);
        /* One that is being created cannot be removed: a cancel waits. */
        session_set_cancel_fd(v->session, -1);
        r = snapshot_create(v->session, v->vm.summary.id, name, "Created to copy the disks of the VM", false,
                        &v->snapshot);
        if (r < 0)
                r = vsphere_fail(v, r, "Creating a snapshot of %s", strna(v->vm.summary.name));
        session_set_cancel_fd(v->session, v->attempt->cancel_fd);
        vsphere_unlock(v);
        return r;
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
                unmark(v->attempt);
        vsphere_unlock(v);
        v->snapshot = r < 0 ? v->snapshot : mfree(v->snapshot);
        return r;
}

/* --- power ----------------------------------------------------------------------------------------- */

static int power_off(VsphereSource *v) {
        report_note(&v->attempt->report, "Powering off %s", strna(v->vm.summary.name));
        int r = vm_power_off(v->session, v->vm.summary.id);
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
        if (r >= 0)
                r = vm_wait_power(v->session, id, VM_POWERED_OFF,
                                (usec_t) spec->parameters.shutdown_timeout * USEC_PER_SEC);
        if (r >= 0 || r == -ECANCELED)
                return r;
        if (force && (r == -ETIMEDOUT || r == -EOPNOTSUPP))
                return power_off(v);
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

static int turn_off(VsphereSource *v, int power) {
        vsphere_lock(v);
        int r = power == VSPHERE_POWER_OFF ? power_off(v) : shut_down(v);
        if (r >= 0) {
                _cleanup_free_ char *id = TAKE_PTR(v->vm.summary.id);

                vm_detail_done(&v->vm);
                r = vm_read(v->session, id, &v->vm);
                if (r < 0)
                        r = vsphere_fail(v, r, "Reading the VM %s", id);
        }
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
        return power == VSPHERE_POWER_KEEP ? create(v) : turn_off(v, power);
}
