/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-finalize.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/destination-kind.h"
#include "job/source-kind.h"
#include "job/verify.h"
#include "spec/vm-json.h"

/* Adds to those that are there. */
static int add_warnings(Run *run, size_t disk, json_t *output) {
        char **warnings = run->source->warnings ? run->source->warnings[disk] : NULL;
        json_t *list = json_object_get(output, "warnings");

        if (!warnings)
                return 0;
        if (!list && json_object_set_new(output, "warnings", json_array()) < 0)
                return -ENOMEM;
        list = json_object_get(output, "warnings");
        STRV_FOREACH(w, warnings)
                if (json_array_append_new(list, json_string(*w)) < 0)
                        return -ENOMEM;
        return 0;
}

static int add_source_state(Run *run, json_t *output) {
        if (!run->source->in_use)
                return 0;
        return json_object_set_new(output, "source_state",
                               json_string(run->source->changed ? "in_use_changed" : "in_use")) < 0
                        ? -ENOMEM
                        : 0;
}

static int add_disk(Run *run, size_t disk) {
        _cleanup_json_ json_t *output = NULL;

        int r = destination_kind(run->conversion.spec->type)->describe(&run->conversion, disk, &output);
        if (r >= 0)
                r = add_source_state(run, output);
        if (r >= 0)
                r = verify_describe(&run->conversion, disk, output);
        if (r >= 0)
                r = add_warnings(run, disk, output);
        if (r < 0)
                return r;
        return json_array_append(run->attempt->outputs, output) < 0 ? -ENOMEM : 0;
}

/* An OVA is one output for all disks; an OVF is one before them. */
static int add_package(Run *run) {
        const Conversion *c = &run->conversion;
        bool only = layout_published(c->spec, run->source->n_disks) == 1;
        struct stat st;

        if (fstatat(run->part_fd, PART_IMAGE_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return attempt_fail(run->attempt, errno, "output_damaged",
                                "Looking at the %s in %s failed: %s", layout_what(c->spec, PLACE_PACKAGE),
                                c->part_dir, strerror(errno));
        _cleanup_json_ json_t *output = json_pack("{s:s, s:s, s:I}", "path", c->spec->path, "format",
                        disk_format_to_string((DiskFormat) c->spec->format), "actual_size",
                        (json_int_t) st.st_blocks * 512);
        if (!output)
                return -ENOMEM;
        int r = add_source_state(run, output);
        if (r >= 0 && only)
                r = verify_describe_all(c, run->source->n_disks, output);
        json_int_t size = 0;
        for (size_t i = 0; r >= 0 && only && i < run->source->n_disks; i++) {
                size += (json_int_t) c->sizes[i];
                r = add_warnings(run, i, output);
        }
        if (r >= 0 && only && json_object_set_new(output, "virtual_size", json_integer(size)) < 0)
                r = -ENOMEM;
        if (r < 0)
                return r;
        return json_array_append(run->attempt->outputs, output) < 0 ? -ENOMEM : 0;
}

/* What the images say of their size counts, not what the source's description says. */
static int add_hardware(Run *run) {
        VmHardware *vm = run->source->vm;

        if (!vm)
                return 0;
        for (size_t i = 0; i < MIN(vm->n_disks, run->source->n_disks); i++)
                vm->disks[i].capacity = run->conversion.sizes[i];
        json_decref(run->attempt->vm);
        run->attempt->vm = vm_hardware_to_json(vm);
        return run->attempt->vm ? 0 : -ENOMEM;
}

int step_finalize(Run *run) {
        bool listed = true;
        int r = source_finish(run->source);

        if (r >= 0)
                r = add_hardware(run);
        if (r < 0)
                return r;

        report_complete(&run->attempt->report);
        report_phase(&run->attempt->report, PHASE_FINALIZATION, "Finishing");
        if (run->conversion.stream) {
                r = add_package(run);
                if (r < 0)
                        return r;
                listed = layout_published(run->conversion.spec, run->source->n_disks) > 1;
        }
        for (size_t i = 0; listed && i < run->source->n_disks; i++) {
                r = add_disk(run, i);
                if (r < 0)
                        return r;
        }
        /* A disk that was there already has nothing left to do: its checkpoint is of no use any more. */
        if (run->conversion.in_place)
                (void) part_directory_empty(run->part_fd);
        return 0;
}
