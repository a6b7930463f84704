/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/warm-pass.h"

#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "job/destination-kind.h"
#include "job/source-kind.h"
#include "job/vsphere-snapshot.h"
#include "vsphere/changes.h"
#include "vsphere/session.h"
#include "vsphere/snapshot.h"

#define DIFFERENCES_TOLD 8u

int warm_save(Warm *w, const char *what) {
        int r = warm_state_write(w->c->part_fd, w->state);

        return r < 0 ? attempt_fail(w->attempt, r, NULL,
                                       "Writing %s/" WARM_STATE_FILE " after %s failed: %s", w->c->part_dir,
                                       what, strerror(-r))
                     : 0;
}

/* --- the snapshot ---------------------------------------------------------------------------------- */

static const VmDisk *disk_of(const VmDetail *d, unsigned key) {
        for (size_t i = 0; i < d->n_disks; i++)
                if (d->disks[i].key == key)
                        return &d->disks[i];
        return NULL;
}

static int fail_untracked(Warm *w, const char *label) {
        return attempt_fail(w->attempt, EOPNOTSUPP, "unsupported",
                        "The server does not track which areas of %s are written: check that changed block "
                        "tracking is enabled for this disk (ctkEnabled), or copy the VM without "
                        "parameters.warm",
                        label);
}

/* A target that an interrupted pass has left is older, so that what is written since is found by the next
 * pass. It is kept by the first pass, which goes on with its copy. */
static int set_target(Warm *w, size_t disk, const VmDetail *snapshot) {
        WarmDisk *d = &w->state->disks[disk];
        const VmDisk *now = disk_of(snapshot, d->key);
        const char *label = strna(w->v->vm.disks[disk].label);

        if (!now || isempty(now->change_id))
                return fail_untracked(w, label);
        if (now->capacity != d->capacity)
                return attempt_fail(w->attempt, ESTALE, "vsphere_changed",
                                "%s has %" PRIu64 " bytes, and had %" PRIu64
                                " before: the migration has to begin again",
                                label, now->capacity, d->capacity);
        if (!d->change_id && d->target && change_ids_are_related(d->target, now->change_id))
                return 0;
        free(d->target);
        d->target = strdup(now->change_id);
        return d->target ? 0 : -ENOMEM;
}

static bool is_tracked(const WarmState *s, const VmDetail *snapshot) {
        for (size_t i = 0; i < s->n_disks; i++) {
                const VmDisk *d = disk_of(snapshot, s->disks[i].key);
                if (d && isempty(d->change_id))
                        return false;
        }
        return true;
}

static int create_and_read(Warm *w, VmDetail *ret) {
        VsphereSource *v = w->v;

        int r = vsphere_snapshot_create(v);
        if (r < 0)
                return r;
        vsphere_lock(v);
        r = snapshot_read_disks(v->session, v->snapshot, ret);
        if (r < 0)
                r = vsphere_fail(v, r, "Reading the snapshot of %s", strna(v->vm.summary.name));
        vsphere_unlock(v);
        return r;
}

int warm_snapshot(Warm *w) {
        _cleanup_vm_detail_ VmDetail snapshot = {};

        int r = create_and_read(w, &snapshot);
        /* Tracking that was just enabled begins with a snapshot, which has no change ID itself. */
        if (r >= 0 && !is_tracked(w->state, &snapshot)) {
                vm_detail_done(&snapshot);
                r = vsphere_snapshot_remove(w->v);
                if (r >= 0)
                        r = create_and_read(w, &snapshot);
        }
        for (size_t i = 0; i < w->state->n_disks && r >= 0; i++)
                r = set_target(w, i, &snapshot);
        return r < 0 ? r : warm_save(w, "creating the snapshot");
}

/* --- areas ----------------------------------------------------------------------------------------- */

static int add_area(uint64_t start, uint64_t length, void *userdata) {
        return areas_add(userdata, start, length);
}

int warm_areas(Warm *w, size_t disk, Areas *areas) {
        const WarmDisk *d = &w->state->disks[disk];
        VsphereSource *v = w->v;

        areas->size = d->capacity;
        if (!change_ids_are_related(d->change_id, d->target))
                return -ESTALE;
        vsphere_lock(v);
        int r = changes_query(v->session, v->vm.summary.id, v->snapshot, d->key, d->change_id, d->capacity,
                        add_area, areas);
        if (r < 0 && r != -ESTALE)
                r = vsphere_fail(v, r, "Asking for the changed areas of %s", strna(v->vm.disks[disk].label));
        vsphere_unlock(v);
        return r;
}

/* --- copying them ---------------------------------------------------------------------------------- */

typedef struct PassProgress {
        ConvertProgress progress;
        uint64_t total; /* of the areas */
} PassProgress;

/* The areas count, not where they are on the disk. */
static int on_progress(const CopyProgress *p, void *userdata) {
        PassProgress *pass = userdata;
        CopyProgress areas = *p;

        areas.total = pass->total;
        areas.position = p->position == p->total ? pass->total : MIN(p->bytes_read, pass->total);
        areas.rate = 0;
        return convert_on_progress(&areas, &pass->progress);
}

static int open_areas(Warm *w, size_t disk, const Areas *areas, Connection *source, Connection *image) {
        _cleanup_(image_done) Image file = {};
        Endpoint *only = NULL;

        int r = source_connect(w->run->source, disk, source);
        if (r >= 0)
                r = endpoint_areas_new(TAKE_PTR(source->endpoint), areas, &only);
        if (r < 0)
                return r;
        source->endpoint = only;
        r = part_image(w->c, disk, &file);
        return r < 0 ? r : connect_image(w->attempt, &file, true, NBD_DESTINATION, file.label, image);
}

/* The server has to end by itself, so that it completes the image. */
static int close_image(Warm *w, Connection *image) {
        _cleanup_free_ char *why = NULL;

        image->endpoint = endpoint_free(image->endpoint);
        int r = server_group_stop(image->servers, &why);
        return r < 0 ? attempt_fail(w->attempt, r, "server_died", "Closing the image failed: %s",
                                       why ? why : strerror(-r))
                     : 0;
}

/* All of it lasts when this returns. */
static int copy_areas(Warm *w, size_t disk, const Areas *areas) {
        _cleanup_connection_ Connection source = {}, image = {};
        _cleanup_free_ char *what = convert_step_name(w->c, "Copying changed areas",
                                            "Copying changed areas of disk", disk),
                            *why = NULL;
        CopyProgress p = {};

        if (!what)
                return -ENOMEM;
        if (areas->n == 0)
                return 0;
        int r = open_areas(w, disk, areas, &source, &image);
        if (r < 0)
                return r;
        PassProgress pass = {
                .progress = { .attempt = w->attempt,
                                .what = what,
                                .source = &source,
                                .destination = &image },
                .total = areas_total(areas),
        };
        const CopyOptions options = {
                .keep_zeroes = true,
                .size = w->state->disks[disk].capacity,
                .progress = on_progress,
                .userdata = &pass,
                .progress_interval = REPORT_INTERVAL,
                .cancel_fd = w->attempt->cancel_fd,
        };
        r = copy_run(source.endpoint, image.endpoint, NULL, 0, &options, &p, &why);
        w->c->bytes_read += p.bytes_read;
        w->c->bytes_written += image.endpoint->bytes_written;
        w->attempt->warm.bytes += p.bytes_read;
        if (r < 0)
                return connection_fail(w->attempt, &source, &image, r, what, why);
        report_step_done(&w->attempt->report, pass.total);
        return close_image(w, &image);
}

/* --- comparing ------------------------------------------------------------------------------------- */

static int add_difference(uint64_t offset, uint64_t length, void *userdata) {
        return areas_add(userdata, offset, length);
}

static uint64_t total_capacity(const Warm *w) {
        uint64_t total = 0;

        for (size_t i = 0; i < w->state->n_disks; i++)
                total += w->state->disks[i].capacity;
        return total;
}

/* Where the image differs from the snapshot. */
static int compare_disk(Warm *w, size_t disk, Areas *differences) {
        _cleanup_connection_ Connection source = {}, image = {};
        _cleanup_(image_done) Image file = {};
        Verification *v = &w->c->verified[disk];
        _cleanup_free_ char *what = convert_step_name(w->c, "Comparing the copy with the source",
                                            "Comparing disk", disk),
                            *why = NULL;
        const CompareMode mode = {
                .difference = add_difference,
                .userdata = differences,
                .data = COMPARE_ALL,
                .zeroes = COMPARE_ALL,
        };
        uint64_t offset;

        differences->size = w->state->disks[disk].capacity;
        if (!what)
                return -ENOMEM;
        int r = source_connect(w->run->source, disk, &source);
        if (r >= 0)
                r = part_image(w->c, disk, &file);
        if (r >= 0)
                r = destination_kind(w->c->spec->type)->connect_result(w->c, &file, &v->read_back, &image);
        if (r < 0)
                return r;
        ConvertProgress progress = {
                .attempt = w->attempt, .what = what, .source = &source, .destination = &image
        };
        const CopyOptions options = {
                .progress = convert_on_progress,
                .userdata = &progress,
                .progress_interval = REPORT_INTERVAL,
                .checkpoint_interval = USEC_INFINITY,
                .cancel_fd = w->attempt->cancel_fd,
        };
        r = compare_disks(source.endpoint, image.endpoint, &options, &mode, &v->report, &offset, &why);
        return r < 0 ? connection_fail(w->attempt, &source, &image, r, what, why) : 0;
}

static void tell_differences(Warm *w, size_t disk, const Areas *differences) {
        const char *label = strna(w->v->vm.disks[disk].label);
        char size[BYTES_SIZE];

        (void) source_warn(w->run->source, disk,
                        "%s of %s differed from the source and were copied: the server had not reported that "
                        "they had been written",
                        format_bytes(size, areas_total(differences)), label);
        for (size_t i = 0; i < MIN(differences->n, (size_t) DIFFERENCES_TOLD); i++)
                report_note(&w->attempt->report, "%s differed in %" PRIu64 " bytes at %" PRIu64, label,
                                differences->list[i].length, differences->list[i].offset);
        if (differences->n > DIFFERENCES_TOLD)
                report_note(&w->attempt->report, "%s differed in %zu more areas", label,
                                differences->n - DIFFERENCES_TOLD);
}

/* Compares all of a disk, and copies what differs. */
static int verify_disk(Warm *w, size_t disk, bool *ret_differs) {
        _cleanup_areas_ Areas differences = {};

        int r = compare_disk(w, disk, &differences);
        if (r < 0)
                return r;
        report_step_done(&w->attempt->report, w->state->disks[disk].capacity);
        if (differences.n == 0) {
                w->c->verified[disk].verify = VERIFY_FULL;
                return 0;
        }
        *ret_differs = true;
        w->attempt->warm.bytes_differences += areas_total(&differences);
        tell_differences(w, disk, &differences);
        return copy_areas(w, disk, &differences);
}

/* Once while the VM runs, and again as long as there are differences; with the VM off, if that was asked for
 * or the last comparison has found differences. */
static bool needs_verification(const Warm *w, bool off) {
        int verify = w->attempt->plan->spec->parameters.verify;

        if (verify == VERIFY_OFF)
                return false;
        return !w->state->verified || w->state->differed || (off && verify == VERIFY_CUTOVER);
}

static int compare_and_copy(Warm *w) {
        usec_t began = now_monotonic();
        bool differs = false;
        int r = 0;

        report_phase(&w->attempt->report, PHASE_VERIFICATION, "Comparing the copy with the source");
        for (size_t i = 0; i < w->state->n_disks && r >= 0; i++)
                r = verify_disk(w, i, &differs);
        if (r < 0)
                return r;
        w->verification = (double) (now_monotonic() - began) / (double) USEC_PER_SEC;
        w->state->differed = differs;
        w->state->verified = true;
        return warm_save(w, "the comparison");
}

/* Differences of the last pass have no further pass that looks for more of them. The VM is off: once they are
 * copied, there are none. */
static int verify(Warm *w, bool off) {
        int r = compare_and_copy(w);

        if (r < 0 || !off || !w->state->differed)
                return r;
        w->attempt->report.work_total += total_capacity(w);
        r = compare_and_copy(w);
        return r < 0 || !w->state->differed
                        ? r
                        : attempt_fail(w->attempt, EBADMSG, "verification_failed",
                                          "The copy still differs from %s after the differences were "
                                          "copied: check the destination; the result is not used",
                                          strna(w->v->vm.summary.name));
}

/* --- passes ---------------------------------------------------------------------------------------- */

static int set_identity(Warm *w) {
        Source *s = w->run->source;
        char *identity = strdup(w->state->vm);

        for (size_t i = 0; i < w->state->n_disks && identity; i++) {
                const WarmDisk *d = &w->state->disks[i];
                char *more = strprintf("%s\n%u %s %" PRIu64 " %s", identity, d->key, strempty(d->uuid),
                                d->capacity, d->target);
                free(identity);
                identity = more;
        }
        free(s->identity);
        s->identity = identity;
        return identity ? 0 : -ENOMEM;
}

/* All of the image lasts, and is what the snapshot has. */
static void set_complete(Warm *w, size_t disk) {
        WarmDisk *d = &w->state->disks[disk];

        free(d->change_id);
        d->change_id = TAKE_PTR(d->target);
}

static int first_pass(Warm *w) {
        int r = convert_check_space(w->c);

        w->attempt->report.work_total = total_capacity(w);
        if (r >= 0)
                r = set_identity(w);
        if (r >= 0)
                r = convert_disks(w->c);
        w->attempt->warm.bytes += w->c->bytes_read;
        for (size_t i = 0; i < w->state->n_disks && r >= 0; i++)
                set_complete(w, i);
        return r < 0 ? r : warm_save(w, "the first pass");
}

/* What was written since tracking was reset is found by a comparison only. */
static int find_changes(Warm *w, size_t disk, Areas *areas) {
        int r = warm_areas(w, disk, areas);

        if (r == -ESTALE) {
                report_note(&w->attempt->report,
                                "The server does not know which areas of %s were written, since its changed "
                                "block tracking was reset: comparing all of the disk",
                                strna(w->v->vm.disks[disk].label));
                areas_done(areas);
                r = compare_disk(w, disk, areas);
        }
        w->attempt->warm.bytes_areas += areas_total(areas);
        return r;
}

/* A disk that is complete is not copied again if another one fails. */
static int copy_changes(Warm *w, Areas *areas, bool verified) {
        uint64_t total = verified ? total_capacity(w) : 0;
        int r = 0;

        for (size_t i = 0; i < w->state->n_disks && r >= 0; i++) {
                r = find_changes(w, i, &areas[i]);
                total += areas_total(&areas[i]);
        }
        w->attempt->report.work_total = w->attempt->report.work_done + total;
        for (size_t i = 0; i < w->state->n_disks && r >= 0; i++) {
                r = copy_areas(w, i, &areas[i]);
                if (r < 0)
                        return r;
                set_complete(w, i);
                r = warm_save(w, "copying a disk");
        }
        return r;
}

static int next_pass(Warm *w, bool verified) {
        Areas *areas = new0(Areas, w->state->n_disks);
        int r = areas ? copy_changes(w, areas, verified) : -ENOMEM;

        for (size_t i = 0; i < w->state->n_disks && areas; i++)
                areas_done(&areas[i]);
        free(areas);
        return r;
}

int warm_pass(Warm *w, bool off) {
        bool first = !warm_state_is_complete(w->state);
        bool verified = !first && needs_verification(w, off);
        usec_t began = now_monotonic();

        report_phase(&w->attempt->report, PHASE_CONVERSION,
                        first ? "Copying the disks of the running VM" : "Copying what has changed");
        int r = warm_snapshot(w);
        w->copied = !first;
        w->verification = 0;
        w->overhead = 2 * (double) (now_monotonic() - began) /
                        (double) USEC_PER_SEC; /* it is removed, too */
        if (r >= 0)
                r = first ? first_pass(w) : next_pass(w, verified);
        if (r >= 0 && verified)
                r = verify(w, off);
        return r < 0 ? r : vsphere_snapshot_remove(w->v);
}
