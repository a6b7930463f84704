/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/way-vddk.h"

#include <fcntl.h>
#include <inttypes.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/vddk-child.h"

/* Whether it is there is the same for all disks. */
static int probe(VsphereSource *v, _unused_ size_t disk, char **ret_why_not) {
        if (!v->vddk_probed) {
                int r = vddk_child_probe(v, &v->vddk_why_not);

                if (r < 0)
                        return r;
                v->vddk_probed = true;
        }
        if (!v->vddk_why_not)
                return 1;
        *ret_why_not = strdup(v->vddk_why_not);
        return *ret_why_not ? 0 : -ENOMEM;
}

static int fail(VsphereSource *v, size_t disk, int error, const char *why) {
        return error == -ECANCELED ? error
                                   : attempt_fail(v->attempt, error, "vsphere_failed",
                                                     "Opening %s with VDDK failed: %s",
                                                     strna(v->disks[disk].device->label),
                                                     isempty(why) ? strerror(-error) : why);
}

/* What the library says of it is on nbdkit's standard error only. */
static int connect_to_server(VsphereSource *v, size_t disk, Connection *c) {
        const VmDisk *d = v->disks[disk].device;
        _cleanup_free_ char *why = NULL;
        const NbdOptions options = {
                .uris = server_group_sockets(c->servers),
                .connections = 1, /* the library locks the disk */
                .timeout = 120 * USEC_PER_SEC, /* it logs in, and asks a host for the disk */
                .cancel_fd = v->attempt->cancel_fd,
                .label = strna(d->label),
        };
        int r = endpoint_nbd_new(&options, &c->endpoint, &why);

        if (r >= 0 && c->endpoint->size != d->capacity)
                return attempt_fail(v->attempt, ESTALE, "vsphere_changed",
                                "%s has %" PRIu64 " bytes now, and had %" PRIu64
                                " when the job began: it was resized",
                                strna(d->label), c->endpoint->size, d->capacity);
        if (r >= 0)
                return 0;
        _cleanup_free_ char *said = server_group_complaint(c->servers);
        return fail(v, disk, r, said ? said : why);
}

static int open_disk(VsphereSource *v, size_t disk, Connection *ret) {
        _cleanup_connection_ Connection c = {};
        _cleanup_free_ char *said = NULL;

        int r = vddk_child_start(v, disk, &c.servers, &said);
        r = r < 0 ? fail(v, disk, r, said) : connect_to_server(v, disk, &c);
        vddk_child_forget_password(v);
        if (r < 0)
                return r;
        c.endpoint->tally = &v->counts->received[VSPHERE_METHOD_VDDK];
        *ret = c;
        c = (Connection){};
        return 0;
}

const VsphereWay way_vddk = {
        .method = VSPHERE_METHOD_VDDK,
        .random = true,
        .probe = probe,
        .open = open_disk,
};
