/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-finalize.h"

#include "basic/string-util.h"
#include "job/destination-kind.h"
#include "job/verify.h"

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
        json_t *output = NULL;
        int r = destination_kind(run->conversion.spec->type)->describe(&run->conversion, disk, &output);

        if (r < 0)
                return r;
        if (run->source->in_use)
                (void) json_object_set_new(output, "source_state",
                                json_string(run->source->changed ? "in_use_changed" : "in_use"));
        r = verify_describe(&run->conversion, disk, output);
        if (r >= 0)
                r = add_warnings(run, disk, output);
        if (r < 0) {
                json_decref(output);
                return r;
        }
        return json_array_append_new(run->attempt->outputs, output) < 0 ? -ENOMEM : 0;
}

int step_finalize(Run *run) {
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
