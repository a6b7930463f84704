/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-initialize.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/rights.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "job/device.h"
#include "job/part-lock.h"
#include "job/source-kind.h"
#include "job/warm-state.h"

#define CHECKPOINT_DIRECTORY JOB_RESULTS_DIRECTORY "/" RESULTS_CHECKPOINT_DIRECTORY

/* For the whole attempt, so that nobody else changes an image while it is verified either. */
static int lock_part_directory(Run *run) {
        Attempt *a = run->attempt;
        int r = part_lock(run->part_fd, a->plan->job_id, PART_LOCK_TAKE_OVER, &run->lock_fd);

        if (r == -EBUSY)
                return part_lock_fail(a, run->part_fd);
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
        r = lock_part_directory(run);
        /* The image will not be any more what it says. */
        if (r >= 0 && a->plan->warm_pass == 0 && unlinkat(run->part_fd, WARM_STATE_FILE, 0) < 0 &&
                        errno != ENOENT)
                return attempt_fail(a, errno, NULL, "Removing %s/" WARM_STATE_FILE " failed: %s",
                                a->plan->part_dir, strerror(errno));
        return r;
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
                if (endpoint_needs(ends[i], ENDPOINT_NEEDS_SOCKETS))
                        rights |= RIGHTS_WRITE | (ends[i]->tls_certificates ? RIGHTS_READ : 0);
        return plan_writes_device(a->plan) ? rights | RIGHTS_WRITE : rights;
}

int step_initialize(Run *run) {
        Attempt *a = run->attempt;
        const JobSpec *spec = a->plan->spec;
        int r;

        report_phase(&a->report, PHASE_INITIALIZATION, "Starting job execution (attempt %u)",
                        a->plan->attempt);
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
                .format = disk_format(spec->destination.format)->disks,
                .stream = disk_format_has(spec->destination.format, FORMAT_IS_PACKAGE),
                .part_fd = run->part_fd,
                .in_place = !a->plan->part_dir,
                .part_dir = a->plan->part_dir ? a->plan->part_dir : run->checkpoint_dir,
        };
        run->source->part_fd = run->part_fd;
        run->source->part_dir = run->conversion.part_dir;
        return 0;
}
