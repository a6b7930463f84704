/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-convert.h"
#include "basic/parse-util.h"
#include "job/source-kind.h"

int step_convert(Run *run) {
        Conversion *c = &run->conversion;
        char size[BYTES_SIZE];
        uint64_t total = 0;
        int r = run->committing ? 0 : convert_check_space(c);

        if (r < 0 || run->committing)
                return r;
        for (size_t i = 0; run->source->disks && i < run->source->n_disks; i++)
                total += run->source->disks[i].virtual_size;
        if (run->source->disks)
                report_phase(&run->attempt->report, PHASE_CONVERSION, "Converting %zu disk%s, %s in all",
                                run->source->n_disks, run->source->n_disks == 1 ? "" : "s",
                                format_bytes(size, total));
        else
                report_phase(&run->attempt->report, PHASE_CONVERSION, "Converting one disk");
        r = convert_disks(c);
        return r < 0 ? r : source_check_unchanged(run->source);
}
