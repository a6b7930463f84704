/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-inspect.h"
#include "basic/string-util.h"
#include "image/disk-firmware.h"
#include "job/kvm.h"
#include "job/source-kind.h"

/* At most so long, until it is looked at again whether the job was cancelled. */
#define READ_TIMEOUT USEC_PER_SEC

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

typedef struct Reading {
        bool done;
        int error;
} Reading;

static void on_read(void *userdata, int error) {
        Reading *reading = userdata;

        *reading = (Reading){ .done = true, .error = error };
}

/* The beginning of the first disk; what is behind its end is zero. */
static int read_head(Source *s, uint8_t head[static DISK_FIRMWARE_HEAD]) {
        _cleanup_connection_ Connection connection = {};
        Reading reading = {};

        int r = source_connect(s, 0, &connection);
        if (r < 0)
                return r;
        Endpoint *e = connection.endpoint;
        r = endpoint_read(e, head, MIN(DISK_FIRMWARE_HEAD, e->size), 0, on_read, &reading);
        while (r >= 0 && !reading.done)
                r = endpoints_run(e, NULL, s->attempt->cancel_fd, READ_TIMEOUT);
        if (r >= 0)
                r = reading.error;
        return r < 0 ? connection_fail(s->attempt, &connection, NULL, r, "Reading the partition table",
                                       endpoint_error(e))
                     : 0;
}

/* A source that does not describe its firmware gets the one that its first disk is made for. */
static int find_firmware(Source *s) {
        _cleanup_free_ uint8_t *head = NULL;

        if (!kvm_is_destination(s->attempt) || s->spec->type == ENDPOINT_VSPHERE ||
                        (s->vm && s->vm->firmware != VM_FIRMWARE_UNKNOWN))
                return 0;
        head = new0(uint8_t, DISK_FIRMWARE_HEAD);
        if (!head)
                return -ENOMEM;
        int r = read_head(s, head);
        if (r < 0)
                return r;
        if (disk_firmware(head, DISK_FIRMWARE_HEAD) != VM_FIRMWARE_EFI)
                return 0;
        if (!s->vm && !(s->vm = vm_hardware_new()))
                return -ENOMEM;
        s->vm->firmware = VM_FIRMWARE_EFI;
        report_note(&s->attempt->report,
                        "The first disk is made for UEFI: it has an EFI system partition, and nothing that a "
                        "BIOS could start");
        return 0;
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
                r = find_firmware(s);
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
