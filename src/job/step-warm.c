/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An attempt of a warm migration prepares, and then runs one pass. The cutover runs a pass while the VM is
 * still running, so that little is left, shuts it down, and runs the last pass. */

#include "job/step-warm.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "job/part-directory.h"
#include "job/vsphere-snapshot.h"
#include "job/warm-pass.h"
#include "vsphere/changes.h"
#include "vsphere/session.h"

static Warm warm_init(Run *run) {
        return (Warm){
                .run = run,
                .attempt = run->attempt,
                .v = vsphere_of(run->source),
                .c = &run->conversion,
        };
}

static void warm_done(Warm *w) {
        w->state = warm_state_free(w->state);
}
#define _cleanup_warm_ _cleanup_(warm_done)

/* --- preparing ------------------------------------------------------------------------------------- */

/* What the image is of, and its format: another one is of no use. */
static char *vm_text(const Warm *w) {
        return strprintf("%s %s %s", w->v->spec->url, strempty(w->v->vm.summary.instance_uuid),
                        disk_format_to_string(w->c->format));
}

static int new_state(Warm *w) {
        const VmDetail *vm = &w->v->vm;
        _cleanup_warm_state_ WarmState *s = new0(WarmState, 1);

        if (!s)
                return -ENOMEM;
        s->vm = vm_text(w);
        s->disks = new0(WarmDisk, vm->n_disks);
        if (!s->vm || !s->disks)
                return -ENOMEM;
        s->n_disks = vm->n_disks;
        for (size_t i = 0; i < vm->n_disks; i++) {
                s->disks[i] = (WarmDisk){ .key = vm->disks[i].key, .capacity = vm->disks[i].capacity };
                s->disks[i].uuid = vm->disks[i].uuid ? strdup(vm->disks[i].uuid) : NULL;
                if (vm->disks[i].uuid && !s->disks[i].uuid)
                        return -ENOMEM;
        }
        w->state = TAKE_PTR(s);
        return 0;
}

static bool same_disks(const WarmState *s, const VmDetail *vm) {
        if (s->n_disks != vm->n_disks)
                return false;
        for (size_t i = 0; i < vm->n_disks; i++) {
                const WarmDisk *d = &s->disks[i];
                const VmDisk *v = &vm->disks[i];

                if (d->key != v->key || d->capacity != v->capacity || !streq_ptr(d->uuid, v->uuid))
                        return false;
        }
        return true;
}

/* That of the passes before, if it is of this VM. */
static int load_state(Warm *w) {
        _cleanup_warm_state_ WarmState *old = NULL;
        _cleanup_free_ char *vm = vm_text(w);

        if (!vm)
                return -ENOMEM;
        int r = warm_state_read(w->c->part_fd, &old);
        if (r == -ENOENT)
                return new_state(w);
        if (r < 0 && r != -EBADMSG)
                return attempt_fail(w->attempt, r, NULL, "Reading %s/" WARM_STATE_FILE " failed: %s",
                                w->c->part_dir, strerror(-r));
        if (r >= 0 && !streq(old->vm, vm) && w->attempt->plan->warm_pass > 1)
                return attempt_fail(w->attempt, ESTALE, "vsphere_changed",
                                "%s is another VM than in the passes before: the migration has to begin "
                                "again; retry the job to copy this one",
                                strna(w->v->vm.summary.name));
        if (r < 0 || !streq(old->vm, vm)) {
                report_note(&w->attempt->report, "What an earlier job has left in %s is not used: it is %s",
                                w->c->part_dir, r < 0 ? "damaged" : "of another VM or format");
                r = part_directory_empty(w->c->part_fd);
                return r < 0 ? attempt_fail(w->attempt, r, NULL, "Emptying %s failed: %s", w->c->part_dir,
                                               strerror(-r))
                             : new_state(w);
        }
        if (!same_disks(old, &w->v->vm))
                return attempt_fail(w->attempt, ESTALE, "vsphere_changed",
                                "Disks of %s were added, removed, replaced or resized: the migration has to "
                                "begin again; retry the job",
                                strna(w->v->vm.summary.name));
        w->state = TAKE_PTR(old);
        return 0;
}

static int enable_tracking(Warm *w) {
        VsphereSource *v = w->v;
        const char *name = strna(v->vm.summary.name);

        if (v->vm.change_tracking)
                return 0;
        report_note(&w->attempt->report, "Enabling changed block tracking of %s", name);
        int r = vsphere_mark(w->attempt, VSPHERE_TRACKING_MARK);
        if (r < 0)
                return r;
        vsphere_lock(v);
        r = changes_enable(v->session, v->vm.summary.id, true);
        if (r < 0)
                r = vsphere_fail(v, r, "Enabling changed block tracking of %s", name);
        vsphere_unlock(v);
        return r;
}

static int prepare(Warm *w) {
        int r = load_state(w);

        for (size_t i = 0; r >= 0 && i < w->state->n_disks; i++)
                w->c->sizes[i] = w->state->disks[i].capacity;
        if (r >= 0)
                r = enable_tracking(w);
        if (r >= 0)
                report_event(&w->attempt->report, EVENT_WARM_PREPARED, NULL, "%s is prepared for pass %u",
                                strna(w->v->vm.summary.name), w->attempt->plan->warm_pass);
        return r;
}

/* --- passes ---------------------------------------------------------------------------------------- */

static double seconds_since(usec_t start) {
        return (double) (now_monotonic() - start) / (double) USEC_PER_SEC;
}

/* Another pass after this one copies about what was written during this one, at the same rate, and has the
 * same snapshots. */
static void set_result(Warm *w, usec_t began) {
        JobWarmResult *result = &w->attempt->warm;

        result->pass = w->attempt->plan->warm_pass;
        result->verified = w->state->verified && !w->state->differed;
        result->seconds = seconds_since(began);
        result->estimate_seconds = w->copied ? MAX(result->seconds - w->verification, 0.0) : w->overhead;
}

static int precopy(Warm *w) {
        unsigned pass = w->attempt->plan->warm_pass;
        usec_t began = now_monotonic();
        char size[BYTES_SIZE];

        report_event(&w->attempt->report, EVENT_PRECOPY_STARTED,
                        json_pack("{s:I}", "pass", (json_int_t) pass), "Pass %u has started", pass);
        int r = warm_pass(w, false);
        if (r < 0)
                return r;
        set_result(w, began);
        const JobWarmResult *done = &w->attempt->warm;
        report_event(&w->attempt->report, EVENT_PRECOPY_FINISHED,
                        json_pack("{s:I, s:I, s:f}", "pass", (json_int_t) pass, "bytes",
                                        (json_int_t) done->bytes, "seconds", done->seconds),
                        "Pass %u has copied %s in %.1f seconds", pass, format_bytes(size, done->bytes),
                        done->seconds);
        return 0;
}

/* --- cutover --------------------------------------------------------------------------------------- */

static int read_power(Warm *w, VmPower *ret) {
        VsphereSource *v = w->v;

        vsphere_lock(v);
        int r = vm_read_power(v->session, v->vm.summary.id, ret);
        if (r < 0)
                r = vsphere_fail(v, r, "Reading the power state of %s", strna(v->vm.summary.name));
        vsphere_unlock(v);
        return r;
}

/* The output must never be published while the source is running. */
static int check_still_off(Warm *w) {
        VmPower now;
        int r = read_power(w, &now);

        if (r < 0)
                return r;
        return now == VM_POWERED_OFF ? 0
                                     : attempt_fail(w->attempt, ESTALE, "vsphere_started",
                                                       "%s was started during the cutover: nothing is "
                                                       "published; leave it off and retry the job",
                                                       strna(w->v->vm.summary.name));
}

static int shut_down(Warm *w) {
        VsphereSource *v = w->v;
        size_t n = v->vm.n_disks;
        usec_t began = now_monotonic();

        int r = vsphere_mark_off(v);
        if (r >= 0)
                r = vsphere_turn_off(v, VSPHERE_POWER_SHUTDOWN);
        if (r < 0)
                return r;
        if (v->vm.n_disks != n)
                return attempt_fail(w->attempt, ESTALE, "vsphere_changed",
                                "Disks of %s were added or removed: the migration has to begin again",
                                strna(v->vm.summary.name));
        for (size_t i = 0; i < n; i++)
                v->disks[i].device = &v->vm.disks[i];
        w->state->down_at = now_realtime();
        report_event(&w->attempt->report, EVENT_GUEST_DOWN,
                        json_pack("{s:f}", "seconds", seconds_since(began)),
                        "%s is off: its guest has shut down within %.1f seconds", strna(v->vm.summary.name),
                        seconds_since(began));
        return warm_save(w, "the shutdown");
}

/* What the last pass finds to do is to be little, and no comparison of whole disks. */
static int copy_before_cutover(Warm *w, bool running) {
        bool first = !warm_state_is_complete(w->state);
        int r = running || first ? precopy(w) : 0;

        return r >= 0 && running && first ? precopy(w) : r;
}

static int cutover(Warm *w) {
        bool running = w->v->vm.summary.power != VM_POWERED_OFF;

        report_event(&w->attempt->report, EVENT_CUTOVER_STARTED, NULL, "The cutover of %s has started",
                        strna(w->v->vm.summary.name));
        /* Somebody else has shut it down since. */
        if (!running && !marker_exists(w->attempt->directory_fd, VSPHERE_OFF_MARK))
                w->state->down_at = 0;
        int r = copy_before_cutover(w, running);
        if (r >= 0 && running)
                r = shut_down(w);
        if (r >= 0 && w->state->down_at == 0) {
                w->state->down_at = now_realtime();
                r = warm_save(w, "the shutdown");
        }
        usec_t began = now_monotonic();
        if (r >= 0)
                r = warm_pass(w, true);
        if (r < 0)
                return r;
        set_result(w, began);
        return check_still_off(w);
}

/* The changes of the guest are in the images already, so that nothing can be copied into them any more:
 * nothing may have been written to the source since. */
static int check_committing(Warm *w) {
        bool same = w->v->vm.summary.power == VM_POWERED_OFF && warm_state_is_complete(w->state);
        int r = same ? warm_snapshot(w) : 0;

        for (size_t i = 0; i < w->state->n_disks && r >= 0 && same; i++) {
                _cleanup_areas_ Areas areas = {};

                r = warm_areas(w, i, &areas);
                same = r >= 0 && areas.n == 0;
                if (r == -ESTALE)
                        r = 0;
        }
        if (r >= 0)
                r = vsphere_snapshot_remove(w->v);
        if (r < 0 || same)
                return r;
        return attempt_fail(w->attempt, ESTALE, "vsphere_changed",
                        "%s was started after its guest was fixed in the copy: the migration has to begin "
                        "again; retry the job",
                        strna(w->v->vm.summary.name));
}

int step_warm(Run *run) {
        _cleanup_warm_ Warm w = warm_init(run);
        bool last = run->attempt->plan->cutover;

        int r = prepare(&w);
        if (r < 0)
                return r;
        if (run->committing)
                return check_committing(&w);
        r = last ? cutover(&w) : precopy(&w);
        return r < 0 || last ? r : ATTEMPT_PASS;
}

/* Files of removed snapshots that are still there take room, and slow the VM down. */
static int check_consolidated(Warm *w) {
        _cleanup_vm_detail_ VmDetail now = {};
        VsphereSource *v = w->v;

        vsphere_lock(v);
        int r = vm_read(v->session, v->vm.summary.id, &now);
        if (r < 0)
                r = vsphere_fail(v, r, "Reading the VM %s", strna(v->vm.summary.name));
        vsphere_unlock(v);
        return r < 0 || !now.summary.consolidation_needed
                        ? r
                        : source_warn(w->run->source, 0,
                                          "The disks of %s need consolidation, since a snapshot was not "
                                          "removed completely: consolidate them in vCenter",
                                          strna(v->vm.summary.name));
}

int step_warm_end(Run *run) {
        _cleanup_warm_ Warm w = warm_init(run);

        int r = check_still_off(&w);
        if (r >= 0)
                r = check_consolidated(&w);
        if (r >= 0)
                r = load_state(&w);
        if (r < 0)
                return r;
        usec_t now = now_realtime();
        double seconds = now > w.state->down_at ? (double) (now - w.state->down_at) / (double) USEC_PER_SEC
                                                : 0;

        run->attempt->warm.pass = run->attempt->plan->warm_pass;
        run->attempt->warm.downtime_seconds = seconds;
        report_event(&run->attempt->report, EVENT_CUTOVER_FINISHED,
                        json_pack("{s:f}", "downtime_seconds", seconds),
                        "The cutover of %s is complete, %.1f seconds after its shutdown",
                        strna(w.v->vm.summary.name), seconds);
        return 0;
}
