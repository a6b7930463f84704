/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-choose.h"

#include "basic/string-util.h"
#include "job/way-folder.h"
#include "job/way-nfc.h"

static const VsphereWay *const ways[] = { &way_nfc, &way_folder };

static int refuse(VsphereSource *v, size_t disk, const char *reasons) {
        const VmDisk *d = v->disks[disk].device;

        return attempt_fail(v->attempt, EOPNOTSUPP, "unsupported", "%s of %s cannot be copied: %s",
                        strna(d->label), strna(v->vm.summary.name), strempty(reasons));
}

static int no_areas(char **ret_why_not) {
        *ret_why_not = strdup("it transfers whole disks, and a warm migration reads changed areas");
        return *ret_why_not ? 0 : -ENOMEM;
}

static int choose(VsphereSource *v, size_t disk) {
        bool warm = v->attempt->plan->warm_pass > 0;
        int method = v->attempt->plan->spec->parameters.conversion_method;
        _cleanup_free_ char *reasons = NULL;

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                _cleanup_free_ char *why_not = NULL;

                if (method != VSPHERE_METHOD_AUTO && method != (int) ways[i]->method)
                        continue;
                int r = warm && !ways[i]->random ? no_areas(&why_not) : ways[i]->probe(v, disk, &why_not);
                if (r < 0)
                        return r;
                const char *name = vsphere_method_to_string(ways[i]->method);
                if (r > 0) {
                        v->disks[disk].way = ways[i];
                        report_note(&v->attempt->report, "%s is copied with %s%s%s%s",
                                        strna(v->disks[disk].device->label), name, reasons ? " (" : "",
                                        strempty(reasons), reasons ? ")" : "");
                        return 0;
                }
                char *more = strprintf(
                                "%s%s%s: %s", strempty(reasons), reasons ? "; " : "", name, strna(why_not));
                free(reasons);
                reasons = more;
                if (!reasons)
                        return -ENOMEM;
        }
        return refuse(v, disk, reasons ? reasons : "the conversion_method is not built in");
}

int vsphere_choose_ways(VsphereSource *v) {
        int r = 0;

        for (size_t i = 0; i < v->vm.n_disks && r >= 0; i++)
                r = choose(v, i);
        return r;
}
