/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-inspect.h"
#include "basic/string-util.h"
#include "job/kvm.h"
#include "job/source-kind.h"

/* How many outputs there will be is known only now, and what names are taken only to prepare. */
static int check_names_free(Run *run) {
        Attempt *a = run->attempt;
        unsigned taken;

        if (run->conversion.in_place || !job_spec_has_destination(a->plan->spec))
                return 0;
        int r = part_directory_read_taken(a->directory_fd, &taken);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Reading which names are taken failed: %s", strerror(-r));
        if (taken == 0 || layout_published(run->conversion.spec, run->source->n_disks) < taken)
                return 0;
        _cleanup_free_ char *path = layout_path(run->conversion.spec, taken);
        return attempt_fail(a, EEXIST, "destination_exists",
                        "The source has %zu disk%s, and the name of a %s, %s, exists already, and is not "
                        "replaced: remove it or choose another destination",
                        run->source->n_disks, run->source->n_disks == 1 ? "" : "s",
                        layout_what(run->conversion.spec, taken), strna(path));
}

static void report_inspection(Source *s) {
        Report *report = &s->attempt->report;

        if (endpoint_needs(s->spec, ENDPOINT_NEEDS_FILES))
                report_phase(report, PHASE_INSPECTION, "Inspecting %s", s->spec->path);
        else
                report_phase(report, PHASE_INSPECTION, "%s", source_kind(s->spec->type)->inspecting);
}

int step_inspect(Run *run) {
        Attempt *a = run->attempt;
        Source *s = run->source;
        uint64_t total = 0;
        int r;

        report_inspection(s);
        r = source_verify_checksum(s);
        if (r >= 0)
                r = source_settle(s);
        if (r >= 0)
                r = check_names_free(run);
        if (r < 0)
                return r;
        if (a->report.phase != PHASE_INSPECTION)
                report_inspection(s);
        r = source_inspect(s);
        if (r >= 0)
                r = kvm_check(a, s->vm);
        if (r < 0)
                return r;
        if (s->n_disks > layout_disks_max(run->conversion.spec))
                return attempt_fail(a, EFBIG, "unsupported",
                                "The source has %zu disks, but the destination's format takes %zu",
                                s->n_disks, layout_disks_max(run->conversion.spec));
        if (s->n_disks > 1 && run->conversion.in_place && job_spec_has_destination(a->plan->spec))
                return attempt_fail(a, EOPNOTSUPP, "unsupported",
                                "The source has %zu disks, but this destination takes one", s->n_disks);
        for (size_t i = 0; s->disks && i < s->n_disks; i++)
                total += s->disks[i].virtual_size;
        a->report.work_total = conversion_work(&run->conversion, total);
        return 0;
}
