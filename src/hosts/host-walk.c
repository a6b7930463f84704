/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-walk.h"

#include "basic/string-util.h"
#include "hosts/host.h"

int host_walk_begin(HostWalk *w, Hosts *hosts, const Host *only) {
        size_t n = 0;

        *w = (HostWalk){ .hosts = hosts, .ids = new0(char *, HASH_COUNT(hosts->by_id) + 1) };
        if (!w->ids)
                return -ENOMEM;
        for (const Host *h = hosts->by_id; h; h = h->hh.next)
                if (!h->adding && (!only || h == only) && !(w->ids[n++] = strdup(h->row.id)))
                        return -ENOMEM;
        return 0;
}

static int read_uuids(HostWalk *w, const Host *h) {
        size_t n = 0;

        w->uuid = 0;
        w->uuids = new0(char *, HASH_COUNT(h->vms) + 1);
        if (!w->uuids)
                return -ENOMEM;
        for (const Vm *vm = h->vms; vm; vm = vm->hh.next)
                if (!(w->uuids[n++] = strdup(vm->row.uuid)))
                        return -ENOMEM;
        return 0;
}

static void next_host(HostWalk *w) {
        w->uuids = strv_free(w->uuids);
        w->id++;
}

int host_walk_next(HostWalk *w, Host **ret_host, Vm **ret_vm) {
        for (; w->ids[w->id]; next_host(w)) {
                Host *h = hosts_find(w->hosts, w->ids[w->id]);

                if (!h)
                        continue;
                *ret_host = h;
                *ret_vm = NULL;
                if (!w->uuids) {
                        int r = read_uuids(w, h);

                        return r < 0 ? r : 1;
                }
                while (w->uuids[w->uuid] && !*ret_vm)
                        *ret_vm = host_find_vm(h, w->uuids[w->uuid++]);
                if (*ret_vm)
                        return 1;
        }
        return 0;
}

void host_walk_done(HostWalk *w) {
        strv_free(w->ids);
        strv_free(w->uuids);
        *w = (HostWalk){};
}
