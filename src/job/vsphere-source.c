/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-source.h"

#include <fcntl.h>
#include <stdarg.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "vsphere/inventory.h"
#include "vsphere/session.h"

#define PASSWORD_MAX ((size_t) 4096)

/* --- failures -------------------------------------------------------------------------------------- */

/* What the errors of the library are for a job, with the remedy. */
static const struct {
        int error;
        const char *fault; /* NULL: any */
        const char *code, *remedy;
} errors[] = {
        { EACCES, NULL, "vsphere_login", "check source.username and source.password" },
        { EPERM, NULL, "vsphere_permission",
                        "the user needs the privileges VirtualMachine.Provisioning.GetVmFiles, "
                        "VApp.Export and VirtualMachine.State.CreateSnapshot" },
        { EKEYREJECTED, NULL, "certificate",
                        "set source.ca or, if the thumbprint is the right one, source.thumbprint" },
        { EBUSY, NULL, "vsphere_busy", "wait until other tasks of the VM are finished" },
        { EKEYEXPIRED, NULL, "vsphere_busy", "the server ended the session twice within a minute" },
        { EBADFD, NULL, "vsphere_changed", "the VM was started or stopped meanwhile" },
        { ENOENT, NULL, "source_missing", "check source.vm_path and source.datacenter" },
        { ENOTUNIQ, NULL, "vsphere_ambiguous", "give the whole inventory path, or source.vm_uuid" },
        { EHOSTDOWN, NULL, "connection_failed", "the ESXi host is not connected to vCenter" },
        { ENOSPC, NULL, "vsphere_failed", "free space in the datastore of the VM" },
        { EBADMSG, NULL, "vsphere_failed", "see what answers at source.vcenter_url" },
        { EFBIG, NULL, "vsphere_failed", "see what answers at source.vcenter_url" },
        { EREMOTEIO, NULL, "vsphere_failed", "see the tasks and events of the VM in vCenter" },
};

static int fail(VsphereSource *v, int error, const char *what) {
        const char *why = v->session ? session_error(v->session) : "";

        if (error == -ECANCELED)
                return error;
        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (errors[i].error == -error)
                        return attempt_fail(v->attempt, error, errors[i].code, "%s failed: %s: %s", what,
                                        isempty(why) ? strerror(-error) : why, errors[i].remedy);
        return attempt_fail(v->attempt, error, NULL, "%s failed: %s", what,
                        isempty(why) ? strerror(-error) : why);
}

int vsphere_fail(VsphereSource *v, int error, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        what = vstrprintf(format, ap);
        va_end(ap);
        return what ? fail(v, error, what) : -ENOMEM;
}

/* --- the session ----------------------------------------------------------------------------------- */

VsphereSource *vsphere_source_new(Attempt *a) {
        VsphereSource *v = new0(VsphereSource, 1);

        if (!v)
                return NULL;
        v->attempt = a;
        v->spec = &a->plan->spec->source.vsphere;
        pthread_mutex_init(&v->lock, NULL);
        return v;
}

VsphereSource *vsphere_source_free(VsphereSource *v) {
        if (!v)
                return NULL;
        if (v->session) {
                session_logout(v->session);
                session_free(v->session);
        }
        vsphere_note_done(&v->note);
        vsphere_counts_unmap(v->counts);
        free(v->snapshot);
        free(v->disks);
        free(v->images);
        vm_detail_done(&v->vm);
        pthread_mutex_destroy(&v->lock);
        free(v);
        return NULL;
}

int vsphere_read_password(Attempt *a, char **ret) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = NULL;

        if (isempty(directory))
                return attempt_fail(a, ENOENT, "vsphere_login",
                                "The job was given no password: set source.password, or use a named source");
        path = strprintf("%s/source.password", directory);
        int r = path ? read_file_at(AT_FDCWD, path, PASSWORD_MAX, ret, NULL) : -ENOMEM;
        return r < 0 ? attempt_fail(a, r, "vsphere_login",
                                       "Reading the credential source.password failed: %s", strerror(-r))
                     : 0;
}

int vsphere_read_noted(Attempt *a, const char *file, VsphereNoted *ret) {
        _cleanup_free_ char *password = NULL;
        int r = vsphere_read_password(a, &password);

        if (r < 0)
                return r;
        r = vsphere_session_read(a->directory, file, password, ret);
        explicit_bzero(password, strlen(password));
        return r == -ENOMEM ? r : 0;
}

void vsphere_end_noted(VsphereSource *v, const VsphereNoted *noted) {
        if (noted->cookie && vsphere_noted_end(noted, v->session) >= 0)
                report_note(&v->attempt->report, "The session of the attempt that was killed was ended");
}

static void on_login(void *userdata) {
        const VsphereSource *v = userdata;

        if (v->counts)
                v->counts->logins++;
        vsphere_note_write(&v->note, v->session);
}

int vsphere_prepare_login(VsphereSource *v) {
        Attempt *a = v->attempt;
        _cleanup_free_ char *password = NULL, *why = NULL;

        int r = vsphere_read_password(a, &password);
        if (r < 0)
                return r;
        const SessionOptions options = {
                .server = {
                        .url = v->spec->url,
                        .ca = v->spec->ca,
                        .thumbprint = v->spec->thumbprint,
                        .agent = a->plan->job_id,
                        .cancel_fd = a->cancel_fd,
                },
                .username = v->spec->username,
                .password = password,
                .logged_in = on_login,
                .userdata = v,
        };
        if (v->noted)
                vsphere_note_begin(&v->note, a->directory_fd, password);
        r = session_new(&options, &v->session, &why);
        explicit_bzero(password, strlen(password));
        return r < 0 ? attempt_fail(a, r, NULL, "source.vcenter_url cannot be used: %s",
                                       why ? why : strerror(-r))
                     : 0;
}

int vsphere_login(VsphereSource *v) {
        int r = session_login(v->session);

        if (r == -EBUSY)
                return attempt_fail(v->attempt, r, "vsphere_busy",
                                "Logging in to %s as %s failed: %s: the server is overloaded, or has too "
                                "many sessions: end sessions that are not used, or raise its limit "
                                "(maxSessionCount)",
                                v->spec->url, v->spec->username, session_error(v->session));
        return r < 0 ? vsphere_fail(v, r, "Logging in to %s as %s", v->spec->url, v->spec->username) : 0;
}

int vsphere_find(VsphereSource *v) {
        const char *name = v->spec->vm_uuid ? v->spec->vm_uuid : v->spec->vm_path;
        _cleanup_free_ char *id = NULL;

        vsphere_lock(v);
        int r = inventory_find(v->session, v->spec->datacenter, name, &id);
        if (r < 0)
                r = vsphere_fail(v, r, "Finding the VM %s", name);
        else {
                r = vm_read(v->session, id, &v->vm);
                if (r < 0)
                        r = vsphere_fail(v, r, "Reading the VM %s", name);
        }
        vsphere_unlock(v);
        return r;
}

/* A server that does not answer is no news. */
void vsphere_explain(VsphereSource *v) {
        VmPower power = v->vm.summary.power;

        if (v->snapshot || power != VM_POWERED_OFF)
                return;
        vsphere_lock(v);
        int r = vm_read_power(v->session, v->vm.summary.id, &power);
        vsphere_unlock(v);
        if (r >= 0 && power != VM_POWERED_OFF)
                (void) attempt_fail(v->attempt, ESTALE, "vsphere_changed",
                                "%s was started while its disks were copied: leave it off until the job is "
                                "finished, or set parameters.source_power to \"keep\" to copy a snapshot of "
                                "the running VM",
                                strna(v->vm.summary.name));
}

char *vsphere_snapshot_name(const Attempt *a) {
        return strprintf("hyper %s", a->plan->job_id);
}
