/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/source-vsphere.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "job/nfc-export.h"
#include "job/part-directory.h"
#include "job/vddk-child.h"
#include "job/vsphere-check.h"
#include "job/vsphere-choose.h"
#include "job/vsphere-hardware.h"
#include "job/vsphere-snapshot.h"
#include "job/vsphere-way.h"
#include "vsphere/session.h"

#define END_TIMEOUT (20 * USEC_PER_SEC) /* what remains of the 30 s that a cancelled job has */

/* What was begun on the server is ended there even if the job is cancelled, which takes at most half a
 * minute. */
static void free_vsphere(void *of_kind) {
        VsphereSource *v = of_kind;

        if (v && v->session) {
                vsphere_lock(v);
                session_set_cancel_fd(v->session, -1);
                vsphere_unlock(v);
                nfc_export_free(v->nfc);
                (void) vsphere_snapshot_end(v, END_TIMEOUT);
        }
        if (v)
                vddk_child_done(v);
        vsphere_source_free(v);
}

int source_open_vm(Source *s) {
        s->of_kind = vsphere_source_new(s->attempt);
        s->free_of_kind = free_vsphere;
        return s->of_kind ? 0 : -ENOMEM;
}

/* --- which VM -------------------------------------------------------------------------------------- */

static bool needs_snapshot(const VsphereSource *v) {
        if (v->attempt->plan->warm_pass > 0)
                return true;
        return v->vm.summary.power != VM_POWERED_OFF &&
                        v->attempt->plan->spec->parameters.source_power == VSPHERE_POWER_KEEP;
}

static int check_vm(VsphereSource *v) {
        _cleanup_free_ char *why = NULL;

        int r = vsphere_check_vm(&v->vm, needs_snapshot(v), &why);
        if (r >= 0 && v->attempt->plan->warm_pass > 0)
                r = vsphere_check_warm(&v->vm, &why);
        if (r < 0)
                return attempt_fail(v->attempt, r, "unsupported", "%s cannot be copied: %s",
                                strna(v->vm.summary.name), why ? why : strerror(-r));
        if (v->vm.n_disks > PART_DISKS_MAX)
                return attempt_fail(v->attempt, EFBIG, "unsupported", "%s has %zu disks, but a job takes %u",
                                strna(v->vm.summary.name), v->vm.n_disks, (unsigned) PART_DISKS_MAX);
        if (v->vm.tpm)
                report_note(&v->attempt->report,
                                "%s has a TPM, whose state is not copied: have recovery keys of encrypted "
                                "disks at hand",
                                strna(v->vm.summary.name));
        return 0;
}

/* The images of the VM's disks, as other sources have them. */
static int list_disks(Source *s) {
        VsphereSource *v = vsphere_of(s);
        size_t n = v->vm.n_disks;

        v->disks = new0(VsphereDisk, n);
        v->images = new0(Image, n);
        if (!v->disks || !v->images)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                v->disks[i].device = &v->vm.disks[i];
                v->images[i].virtual_size = v->vm.disks[i].capacity;
        }
        int r = vsphere_hardware(&v->vm, &s->vm);
        return r < 0 ? r : source_reserve_disks(s, v->images, n);
}

static int begin_counts(VsphereSource *v) {
        Attempt *a = v->attempt;
        int r = vsphere_counts_map(a->directory_fd, &v->counts);

        return r < 0 ? attempt_fail(a, r, NULL, "Creating %s/" VSPHERE_COUNTS_FILE " failed: %s",
                                       a->directory, strerror(-r))
                     : 0;
}

/* What the last attempt has noted is ended first; then this one notes its own session. */
static int begin_session(VsphereSource *v) {
        _cleanup_(vsphere_noted_done) VsphereNoted noted = {};
        int r = vsphere_read_noted(v->attempt, VSPHERE_SESSION_FILE, &noted);

        v->noted = true;
        if (r >= 0)
                r = begin_counts(v);
        if (r >= 0)
                r = vsphere_prepare_login(v);
        if (r < 0)
                return r;
        vsphere_end_noted(v, &noted);
        return vsphere_login(v);
}

int source_settle_vm(Source *s) {
        VsphereSource *v = vsphere_of(s);
        int r = begin_session(v);

        if (r >= 0)
                r = vsphere_find(v);
        if (r >= 0)
                r = vsphere_snapshot_remove_stale(v, vsphere_snapshot_patience(v->attempt));
        if (r >= 0)
                r = check_vm(v);
        if (r >= 0)
                r = list_disks(s);
        return r < 0 ? r : vsphere_check_ways(v);
}

/* --- its state ------------------------------------------------------------------------------------- */

static int changed(VsphereSource *v, const char *what) {
        return attempt_fail(v->attempt, ESTALE, "vsphere_changed",
                        "%s %s while its disks were copied: leave it off until the job is finished, or set "
                        "parameters.source_power to \"keep\" to copy a snapshot of the running VM",
                        strna(v->vm.summary.name), what);
}

static int set_identity(Source *s) {
        VsphereSource *v = vsphere_of(s);
        const JobPlan *plan = s->attempt->plan;
        _cleanup_free_ char *vm = vsphere_identity(&v->vm);

        if (!vm)
                return -ENOMEM;
        /* Each attempt has a snapshot of its own. */
        s->identity = v->snapshot ? strprintf("%s snapshot %s job %s attempt %u\n%s", v->spec->url,
                                                    v->snapshot, plan->job_id, plan->attempt, vm)
                                  : strprintf("%s %s", v->spec->url, vm);
        return s->identity ? 0 : -ENOMEM;
}

int source_inspect_vm(Source *s) {
        VsphereSource *v = vsphere_of(s);
        size_t n = v->vm.n_disks;

        /* A warm migration has a snapshot for each pass. */
        int r = v->attempt->plan->warm_pass > 0 ? 0 : vsphere_snapshot_begin(v);
        if (r < 0 || v->attempt->plan->warm_pass > 0)
                return r;
        if (v->vm.n_disks != n)
                return changed(v, "was reconfigured");
        for (size_t i = 0; i < n; i++)
                v->disks[i].device = &v->vm.disks[i];
        r = vsphere_choose_ways(v);
        return r < 0 ? r : set_identity(s);
}

/* A snapshot does not change. */
int source_check_vm_unchanged(Source *s) {
        VsphereSource *v = vsphere_of(s);
        _cleanup_vm_detail_ VmDetail now = {};

        if (v->snapshot)
                return 0;
        vsphere_lock(v);
        int r = vm_read(v->session, v->vm.summary.id, &now);
        if (r < 0)
                r = vsphere_fail(v, r, "Reading the VM %s", strna(v->vm.summary.name));
        vsphere_unlock(v);
        if (r < 0)
                return r;
        if (now.summary.power != v->vm.summary.power)
                return changed(v, "was started");
        _cleanup_free_ char *before = vsphere_identity(&v->vm), *after = vsphere_identity(&now);
        if (!before || !after)
                return -ENOMEM;
        return streq(before, after) ? 0 : changed(v, "was started or reconfigured");
}

void source_explain_vm(Source *s) {
        vsphere_explain(vsphere_of(s));
}

/* --- its disks ------------------------------------------------------------------------------------- */

int source_connect_vm(Source *s, size_t disk, Connection *ret) {
        VsphereSource *v = vsphere_of(s);

        return v->disks[disk].way->open(v, disk, ret);
}

int source_vm_digest(const Source *s, size_t disk, uint8_t *ret) {
        const VsphereDisk *d = &vsphere_of(s)->disks[disk];

        if (d->digested)
                memcpy(ret, d->digest, sizeof(d->digest));
        return d->digested;
}

int source_vm_add_metrics(const Source *s, json_t *metrics) {
        const VsphereSource *v = vsphere_of(s);

        return v->counts ? vsphere_counts_to_json(v->counts, metrics) : 0;
}

void source_vm_progress(Source *s, unsigned percent) {
        nfc_export_set_percent(vsphere_of(s)->nfc, percent);
}

int source_finish_vm(Source *s) {
        VsphereSource *v = vsphere_of(s);
        int r = nfc_export_complete(v);

        if (r >= 0 && vsphere_snapshot_end(v, VSPHERE_REMOVE_TIMEOUT) < 0)
                (void) source_warn(s, 0, "The snapshot of %s was not removed: remove it in vCenter",
                                strna(v->vm.summary.name));
        return r;
}
