/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/conversion.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/device.h"
#include "job/source-kind.h"

/* It takes about as long as copying a small disk, and seldom a larger one. */
uint64_t conversion_guest_work(const Conversion *c, uint64_t total) {
        return job_spec_has_guest(c->attempt->plan->spec) ? total / 2 : 0;
}

uint64_t conversion_work(const Conversion *c, uint64_t total) {
        const JobSpec *spec = c->attempt->plan->spec;
        uint64_t work = !job_spec_has_destination(spec) ? 0 : spec->parameters.verify ? 2 * total : total;

        return c->stream ? REPORT_PACKAGE(work) : work + conversion_guest_work(c, total);
}

unsigned conversion_place(const Conversion *c, size_t disk) {
        return layout_place(c->spec, disk);
}

int part_image(const Conversion *c, size_t disk, Image *ret) {
        Image i = {
                .whole = true, .format = (int) c->format, .device = plan_writes_device(c->attempt->plan)
        };
        unsigned place = conversion_place(c, disk);

        i.label = layout_path(c->spec, place);
        i.path = i.device            ? strdup(c->spec->path)
                        : place == 1 ? strprintf("%s/" PART_IMAGE_FILE, c->part_dir)
                                     : strprintf("%s/disk%u/" PART_IMAGE_FILE, c->part_dir, place);
        if (!i.label || !i.path) {
                image_done(&i);
                return -ENOMEM;
        }
        *ret = i;
        return 0;
}

static void pass_errors_on(Report *report, Connection *c) {
        if (c->servers) {
                _cleanup_free_ char *errors = server_group_errors(c->servers);
                if (errors)
                        report_lines(report, server_group_program(c->servers), errors);
        }
}

static CopyProgress add_to_sum(const CopyProgress *p, ConvertProgress *progress) {
        ConvertSum *sum = progress->sum;
        CopyProgress all = *p;

        sum->position += p->position - progress->position;
        sum->rate += p->rate - progress->rate;
        progress->position = sum->positions[progress->disk] = p->position;
        progress->rate = p->rate;
        all.position = sum->position;
        all.total = sum->total;
        all.rate = sum->rate;
        all.flushing = p->flushing && sum->position == sum->total;
        return all;
}

json_t *convert_sum_json(const ConvertSum *sum) {
        json_t *disks = json_array();

        for (size_t i = 0; i < sum->n_disks; i++)
                (void) json_array_append_new(disks,
                                json_pack("{s:I, s:I}", "bytes_done", (json_int_t) sum->positions[i],
                                                "bytes_total", (json_int_t) sum->totals[i]));
        return json_pack("{s:o}", "disks", disks);
}

int convert_on_progress(const CopyProgress *p, void *userdata) {
        ConvertProgress *progress = userdata;
        _cleanup_json_ json_t *details = NULL;
        CopyProgress all = {};

        if (progress->sum) {
                all = add_to_sum(p, progress);
                p = &all;
                details = convert_sum_json(progress->sum);
        }
        progress->attempt->report.details = details;

        if (progress->tell && p->total > 0)
                source_progress(progress->tell, (unsigned) (p->position * 100 / p->total));
        pass_errors_on(&progress->attempt->report, progress->source);
        pass_errors_on(&progress->attempt->report, progress->destination);
        if (p->flushing)
                report_flush(&progress->attempt->report, p->total, p->unflushed);
        else
                report_progress(&progress->attempt->report, progress->what, p->position, p->total, p->rate,
                                true);
        progress->attempt->report.details = NULL;
        return 0;
}

char *convert_step_name(const Conversion *c, const char *one, const char *many, size_t disk) {
        return c->source->n_disks == 1 ? strdup(one)
                                       : strprintf("%s %zu of %zu", many, disk + 1, c->source->n_disks);
}
