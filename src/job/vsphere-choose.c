/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-choose.h"

#include "basic/string-util.h"
#include "job/way-folder.h"
#include "job/way-nfc.h"
#include "job/way-vddk.h"

static const VsphereWay *const ways[] = { &way_vddk, &way_nfc, &way_folder };

static int refuse(VsphereSource *v, size_t disk, const char *reasons) {
        const VmDisk *d = v->disks[disk].device;

        return attempt_fail(v->attempt, EOPNOTSUPP, "unsupported", "%s of %s cannot be copied: %s",
                        strna(d->label), strna(v->vm.summary.name), strempty(reasons));
}

static int no_areas(char **ret_why_not) {
        *ret_why_not = strdup("it transfers whole disks, and a warm migration reads changed areas");
        return *ret_why_not ? 0 : -ENOMEM;
}

static bool may_use(const VsphereSource *v, const VsphereWay *way) {
        int method = v->attempt->plan->spec->parameters.conversion_method;

        return method == VSPHERE_METHOD_AUTO || method == (int) way->method;
}

/* An explicit way fails with its own error when it is opened. */
static int can_be_had(VsphereSource *v, const VsphereWay *way, size_t disk, bool try, char **ret_why_not) {
        bool warm = v->attempt->plan->warm_pass > 0;
        int r = warm && !way->random ? no_areas(ret_why_not) : way->probe(v, disk, ret_why_not);

        try = try && way->try && v->attempt->plan->spec->parameters.conversion_method == VSPHERE_METHOD_AUTO;
        return r > 0 && try ? way->try(v, disk, ret_why_not) : r;
}

/* Adds "NAME: why not" to @reasons. */
static int add_reason(char **reasons, const VsphereWay *way, const char *why_not) {
        char *more = strprintf("%s%s%s: %s", strempty(*reasons), *reasons ? "; " : "",
                        vsphere_method_to_string(way->method), strna(why_not));

        free(*reasons);
        *reasons = more;
        return more ? 0 : -ENOMEM;
}

static int find_way(VsphereSource *v, size_t disk, bool try, const VsphereWay **ret, char **reasons) {
        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                _cleanup_free_ char *why_not = NULL;

                if (!may_use(v, ways[i]))
                        continue;
                int r = can_be_had(v, ways[i], disk, try, &why_not);
                if (r > 0)
                        *ret = ways[i];
                if (r == 0)
                        r = add_reason(reasons, ways[i], why_not);
                if (r != 0)
                        return r;
        }
        return refuse(v, disk, *reasons);
}

static void note(VsphereSource *v, size_t disk, const char *reasons) {
        const VsphereDisk *d = &v->disks[disk];

        report_note(&v->attempt->report, "%s is copied with %s%s%s%s", strna(d->device->label),
                        vsphere_method_to_string(d->way->method), reasons ? " (" : "", strempty(reasons),
                        reasons ? ")" : "");
}

/* A pass of a warm migration has its snapshot later, and does not ask the server for another way. */
int vsphere_check_ways(VsphereSource *v) {
        int r = 0;

        for (size_t i = 0; i < v->vm.n_disks && r >= 0; i++) {
                _cleanup_free_ char *reasons = NULL;

                r = find_way(v, i, false, &v->disks[i].way, &reasons);
                if (r >= 0 && v->attempt->plan->warm_pass > 0)
                        note(v, i, reasons);
        }
        return r;
}

int vsphere_choose_ways(VsphereSource *v) {
        int r = 0;

        for (size_t i = 0; i < v->vm.n_disks && r >= 0; i++) {
                _cleanup_free_ char *reasons = NULL;

                r = find_way(v, i, true, &v->disks[i].way, &reasons);
                if (r >= 0)
                        note(v, i, reasons);
        }
        return r;
}
