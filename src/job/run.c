/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "hyper-job run": everything that touches bytes from outside, inside the unit's sandbox. One phase after
 * the other; a phase that fails ends the attempt. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/rights.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/convert.h"
#include "job/device.h"
#include "job/part-lock.h"
#include "job/verify.h"
#include "json/json-table.h"

#define CHECKPOINT_DIRECTORY JOB_RESULTS_DIRECTORY "/" RESULTS_CHECKPOINT_DIRECTORY

typedef struct Run {
        Attempt *attempt;
        Source *source;
        Conversion conversion;
        int part_fd, lock_fd;
        char *checkpoint_dir;
} Run;

static void run_done(Run *r) {
        source_free(r->source);
        safe_close(r->lock_fd);
        safe_close(r->part_fd);
        free(r->checkpoint_dir);
}

/* --- initialization -------------------------------------------------------------------------------- */

/* For the whole attempt, so that nobody else changes an image while it is verified either. */
static int lock_part_directory(Run *run) {
        Attempt *a = run->attempt;
        int r = part_lock(run->part_fd, a->plan->job_id, PART_LOCK_TAKE_OVER, &run->lock_fd);

        if (r == -EBUSY)
                return attempt_fail(a, r, "destination_busy",
                                "Another job is writing the destination %s: wait until it is finished, or "
                                "cancel it",
                                a->plan->spec->destination.path);
        if (r < 0)
                return attempt_fail(a, r, NULL,
                                "Locking the directory for the unfinished image, %s, failed: %s",
                                a->plan->part_dir, strerror(-r));
        return 0;
}

static int open_part_directory(Run *run) {
        Attempt *a = run->attempt;
        int r;

        run->part_fd = open_no_symlinks(AT_FDCWD, a->plan->part_dir, O_RDONLY | O_DIRECTORY, 0);
        if (run->part_fd < 0)
                return attempt_fail(a, run->part_fd, "destination_refused",
                                "Opening the directory for the unfinished image, %s, failed: %s",
                                a->plan->part_dir, strerror(-run->part_fd));
        r = part_directory_check_record(run->part_fd, a->directory_fd, NULL);
        if (r < 0)
                return attempt_fail(a, r, "destination_refused",
                                "The directory %s is not the one that was made for this job: %s",
                                a->plan->part_dir, strerror(-r));
        return lock_part_directory(run);
}

static int open_checkpoint_directory(Run *run) {
        Attempt *a = run->attempt;

        run->checkpoint_dir = strprintf("%s/" CHECKPOINT_DIRECTORY, a->directory);
        if (!run->checkpoint_dir)
                return -ENOMEM;
        if ((mkdirat(a->directory_fd, JOB_RESULTS_DIRECTORY, 0700) < 0 && errno != EEXIST &&
                            errno != EROFS) ||
                        (mkdirat(a->directory_fd, CHECKPOINT_DIRECTORY, 0700) < 0 && errno != EEXIST))
                return attempt_fail(a, errno, NULL, "Making the directory %s failed: %s",
                                run->checkpoint_dir, strerror(errno));
        run->part_fd = openat(a->directory_fd, CHECKPOINT_DIRECTORY,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return run->part_fd < 0 ? attempt_fail(a, errno, NULL, "Opening the directory %s failed: %s",
                                                  run->checkpoint_dir, strerror(errno))
                                : 0;
}

/* A source that others may read needs none, a server's socket may be anybody's. */
static unsigned rights_still_needed(const Attempt *a) {
        const JobEndpoint *ends[] = { &a->plan->spec->source, &a->plan->spec->destination };
        unsigned rights = attempt_parser_rights(a);

        for (size_t i = 0; i < ELEMENTSOF(ends); i++)
                if (ends[i]->type == ENDPOINT_NBD)
                        rights |= RIGHTS_WRITE | (ends[i]->tls_certificates ? RIGHTS_READ : 0);
        return plan_writes_device(a->plan) ? rights | RIGHTS_WRITE : rights;
}

static int initialize(Run *run) {
        Attempt *a = run->attempt;
        const JobSpec *spec = a->plan->spec;
        int r;

        report_phase(&a->report, PHASE_INITIALIZATION, "Starting job execution (attempt %u)",
                        a->plan->attempt);
        if (!job_operation_is_built_in((JobOperation) spec->operation))
                return attempt_fail(a, EOPNOTSUPP, "unsupported", "The operation %s is not built in",
                                strna(job_operation_to_string((JobOperation) spec->operation)));
        /* In a unit; not where a plan is carried out by hand, as root or by somebody who may not write
         * there. */
        const char *memory = geteuid() != 0 && access(JOB_RUNTIME_DIRECTORY, W_OK) >= 0
                        ? JOB_RUNTIME_DIRECTORY
                        : "/tmp";
        a->runtime = strprintf("%s/hyper-job.%d.XXXXXX", memory, getpid());
        if (!a->runtime)
                return -ENOMEM;
        if (!mkdtemp(a->runtime)) {
                a->runtime = mfree(a->runtime);
                return attempt_fail(a, errno, NULL, "Making a directory in %s failed: %s", memory,
                                strerror(errno));
        }
        r = a->plan->part_dir ? open_part_directory(run) : open_checkpoint_directory(run);
        if (r >= 0)
                r = source_open(a, &run->source);
        if (r < 0)
                return r;
        r = rights_keep(rights_still_needed(a));
        if (r < 0)
                return attempt_fail(a, r, NULL, "Giving up rights failed: %s", strerror(-r));
        run->conversion = (Conversion){
                .attempt = a,
                .source = run->source,
                .spec = &spec->destination,
                .part_fd = run->part_fd,
                .in_place = !a->plan->part_dir,
                .part_dir = a->plan->part_dir ? a->plan->part_dir : run->checkpoint_dir,
        };
        run->source->part_fd = run->part_fd;
        run->source->part_dir = run->conversion.part_dir;
        return 0;
}

/* --- the other phases ------------------------------------------------------------------------------ */

/* How many outputs there will be is known only now, and what names are taken only to prepare. */
static int check_names_free(Run *run) {
        Attempt *a = run->attempt;
        unsigned taken;

        if (run->conversion.in_place)
                return 0;
        int r = part_directory_read_taken(a->directory_fd, &taken);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Reading which names are taken failed: %s", strerror(-r));
        if (taken == 0 || run->source->n_disks < taken)
                return 0;
        _cleanup_free_ char *path = output_path(run->conversion.spec->path, taken);
        return attempt_fail(a, EEXIST, "destination_exists",
                        "The source has %zu disks, and the name for disk %u, %s, exists already, and is not "
                        "replaced: remove it or choose another destination",
                        run->source->n_disks, taken, strna(path));
}

static int inspect(Run *run) {
        Attempt *a = run->attempt;
        Source *s = run->source;
        uint64_t total = 0;
        int r;

        if (s->spec->type == ENDPOINT_FILE)
                report_phase(&a->report, PHASE_INSPECTION, "Inspecting %s", s->spec->path);
        else
                report_phase(&a->report, PHASE_INSPECTION, "Connecting to the source server");
        r = source_verify_checksum(s);
        if (r >= 0)
                r = source_settle(s);
        if (r >= 0)
                r = check_names_free(run);
        if (r < 0)
                return r;
        if (a->report.phase != PHASE_INSPECTION)
                report_phase(&a->report, PHASE_INSPECTION, "Inspecting %s", s->spec->path);
        r = source_inspect(s);
        if (r < 0)
                return r;
        if (s->n_disks > 1 && run->conversion.in_place)
                return attempt_fail(a, EOPNOTSUPP, "unsupported",
                                "The source has %zu disks, but this destination takes one", s->n_disks);
        for (size_t i = 0; s->disks && i < s->n_disks; i++)
                total += s->disks[i].virtual_size;
        a->report.work_total = total * (a->plan->spec->parameters.verify ? 2 : 1);
        return 0;
}

static int convert(Run *run) {
        Conversion *c = &run->conversion;
        char size[BYTES_SIZE];
        int r = convert_check_space(c);

        if (r < 0)
                return r;
        if (run->source->disks)
                report_phase(&run->attempt->report, PHASE_CONVERSION, "Converting %zu disk%s, %s in all",
                                run->source->n_disks, run->source->n_disks == 1 ? "" : "s",
                                format_bytes(size,
                                                run->attempt->report.work_total /
                                                                (run->attempt->plan->spec->parameters.verify
                                                                                                ? 2
                                                                                                : 1)));
        else
                report_phase(&run->attempt->report, PHASE_CONVERSION, "Converting one disk");
        for (size_t i = 0; i < run->source->n_disks; i++) {
                r = convert_disk(c, i);
                if (r < 0)
                        return r;
        }
        return source_check_unchanged(run->source);
}

static int verify(Run *run) {
        JobVerify compare = (JobVerify) run->attempt->plan->spec->parameters.verify;
        int r;

        report_phase(&run->attempt->report, PHASE_VERIFICATION, "%s",
                        compare ? "Comparing the result with the source" : "Checking the result");
        for (size_t i = 0; i < run->source->n_disks; i++) {
                r = verify_disk(&run->conversion, i, compare);
                if (r < 0)
                        return r;
        }
        return compare ? source_check_unchanged(run->source) : 0;
}

static int add_warnings(Run *run, size_t disk, json_t *output) {
        char **warnings = run->source->warnings ? run->source->warnings[disk] : NULL;
        json_t *list = warnings && output ? json_array() : NULL;

        if (!list)
                return warnings && output ? -ENOMEM : 0;
        STRV_FOREACH(w, warnings)
                if (json_array_append_new(list, json_string(*w)) < 0) {
                        json_decref(list);
                        return -ENOMEM;
                }
        return json_object_set_new(output, "warnings", list) < 0 ? -ENOMEM : 0;
}

static int add_output(Run *run, size_t disk) {
        const JobEndpoint *d = run->conversion.spec;
        json_int_t size = (json_int_t) run->conversion.sizes[disk];
        json_t *output;
        int r;

        if (d->type == ENDPOINT_FILE) {
                _cleanup_(image_done) Image image = {};
                struct stat st;
                r = part_image(&run->conversion, disk, &image);
                if (r < 0)
                        return r;
                if (lstat(image.path, &st) < 0) {
                        r = -errno;
                        return attempt_fail(run->attempt, r, "output_damaged",
                                        "Looking at the finished image in %s failed: %s",
                                        run->conversion.part_dir, strerror(-r));
                }
                output = json_pack("{s:s, s:s, s:I, s:I}", "path", image.label, "format",
                                disk_format_to_string((DiskFormat) d->format), "virtual_size", size,
                                "actual_size", (json_int_t) st.st_blocks * 512);
        } else {
                _cleanup_json_ json_t *uri = json_string(d->uri), *redacted = uri ? json_redact(uri) : NULL;
                output = redacted ? json_pack("{s:O, s:s, s:I, s:I}", "uri", redacted, "format", "raw",
                                                    "virtual_size", size, "actual_size", size)
                                  : NULL;
        }
        if (output && run->source->in_use)
                (void) json_object_set_new(output, "source_state",
                                json_string(run->source->changed ? "in_use_changed" : "in_use"));
        r = output ? verify_describe(&run->conversion, disk, output) : -ENOMEM;
        if (r >= 0)
                r = add_warnings(run, disk, output);
        if (r < 0) {
                json_decref(output);
                return r;
        }
        return json_array_append_new(run->attempt->outputs, output) < 0 ? -ENOMEM : 0;
}

static int finalize(Run *run) {
        report_phase(&run->attempt->report, PHASE_FINALIZATION, "Finishing");
        for (size_t i = 0; i < run->source->n_disks; i++) {
                int r = add_output(run, i);
                if (r < 0)
                        return r;
        }
        /* A disk that was there already has nothing left to do: its checkpoint is of no use any more. */
        if (run->conversion.in_place)
                (void) part_directory_empty(run->part_fd);
        return 0;
}

static void add_metrics(Run *run) {
        const Conversion *c = &run->conversion;
        double seconds = (double) (now_monotonic() - run->attempt->started) / (double) USEC_PER_SEC;
        json_t *m = json_pack("{s:I, s:I, s:I, s:I, s:f}", "bytes_read", (json_int_t) c->bytes_read,
                        "bytes_written", (json_int_t) c->bytes_written, "bytes_zero",
                        (json_int_t) c->bytes_zero, "bytes_resumed", (json_int_t) c->resumed_from,
                        "duration_seconds", seconds);

        if (m) {
                json_decref(run->attempt->metrics);
                run->attempt->metrics = m;
        }
}

/* A result that is known to be wrong must not be gone on from. */
static void drop_wrong_result(Run *run) {
        static const char *const wrong[] = { "verification_failed", "source_changed" };

        for (size_t i = 0; i < ELEMENTSOF(wrong) && run->part_fd >= 0; i++)
                if (streq_ptr(run->attempt->code, wrong[i])) {
                        int r = part_directory_empty(run->part_fd);
                        if (r < 0)
                                log_warning_errno(r, "Failed to empty %s: %m", run->conversion.part_dir);
                }
}

/* An earlier attempt got as far as the final name, but not as far as telling the manager. */
static int repeat_result(Attempt *a) {
        JobResult *old = NULL;

        report_note(&a->report, "An earlier attempt was finished already");
        if (job_result_read(a->directory, &old) >= 0) {
                json_decref(a->outputs);
                json_decref(a->metrics);
                a->outputs = old->outputs ? json_incref(old->outputs) : json_array();
                a->metrics = old->metrics ? json_incref(old->metrics) : json_object();
        }
        job_result_free(old);
        a->report.phase = PHASE_FINALIZATION;
        return attempt_end(a, 0);
}

int verb_run(const char *directory) {
        static int (*const phases[])(Run *) = { initialize, inspect, convert, verify, finalize };
        _cleanup_attempt_ Attempt *a = NULL;
        int r;

        /* Its parsers have the same user: they must not get at its memory and descriptors in /proc. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return log_error_errno(errno, "Failed to hide from other processes: %m"), JOB_EXIT_TRANSIENT;
        r = rights_init();
        if (r < 0)
                return log_error_errno(r, "Failed to give up rights: %m"), JOB_EXIT_TRANSIENT;
        r = attempt_open(directory, &a);
        if (r < 0)
                return JOB_EXIT_FAILED;
        r = attempt_catch_signals(a);
        if (r < 0)
                return log_error_errno(r, "Failed to set up signals: %m"), JOB_EXIT_TRANSIENT;
        umask(077);
        if (marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return repeat_result(a);

        _cleanup_(run_done) Run run = { .attempt = a, .part_fd = -EBADF, .lock_fd = -EBADF };
        for (size_t i = 0; i < ELEMENTSOF(phases) && r >= 0; i++) {
                r = phases[i](&run);
                if (r >= 0 && attempt_is_cancelled(a))
                        r = -ECANCELED;
        }
        add_metrics(&run);
        if (r < 0)
                drop_wrong_result(&run);
        return attempt_end(a, r);
}
