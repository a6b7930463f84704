/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host.h"

#include <math.h>
#include <time.h>

#include "basic/string-util.h"
#include "hosts/hosts.h"
#include "spec/host-uri.h"

int host_new(Hosts *hosts, HostRow *row, Host **ret) {
        Host *h = new0(Host, 1);

        if (!h) {
                host_row_done(row);
                return -ENOMEM;
        }
        h->hosts = hosts;
        h->row = *row;
        *row = (HostRow){};
        HASH_ADD_KEYPTR(hh, hosts->by_id, h->row.id, strlen(h->row.id), h);
        *ret = h;
        return 0;
}

Host *host_free(Host *h) {
        Vm *vm, *next;

        if (!h)
                return NULL;
        HASH_DEL(h->hosts->by_id, h);
        host_thread_abandon(h->thread);
        for (size_t i = 0; i < ELEMENTSOF(h->ghosts); i++)
                host_thread_unref(h->ghosts[i]);
        sd_event_source_disable_unref(h->retry);
        sd_event_source_disable_unref(h->poll);
        sd_event_source_disable_unref(h->vms_changed);
        HASH_ITER(hh, h->vms, vm, next) {
                HASH_DEL(h->vms, vm);
                vm_free(vm);
        }
        strv_free(h->dirty);
        host_facts_done(&h->facts);
        host_row_done(&h->row);
        sd_bus_message_unref(h->add_call);
        for (size_t i = 0; i < h->n_connect_calls; i++)
                sd_bus_message_unref(h->connect_calls[i]);
        free(h->connect_calls);
        return mfree(h);
}

Host *hosts_find(Hosts *h, const char *id) {
        Host *host;

        HASH_FIND_STR(h->by_id, id, host);
        return host && !host->adding ? host : NULL;
}

Host *hosts_find_by_uri(Hosts *h, const HostUri *uri) {
        _cleanup_free_ char *text = host_uri_build(uri, h->keyfile);

        for (Host *host = h->by_id; host && text; host = host->hh.next) {
                _cleanup_free_ char *its = NULL;
                const char *why;
                HostUri parts;

                if (host_uri_parse(host->row.uri, true, &parts, &why) < 0)
                        continue;
                its = host_uri_build(&parts, h->keyfile);
                if (its && streq(its, text))
                        return host;
        }
        return NULL;
}

Vm *host_find_vm(Host *h, const char *uuid) {
        Vm *vm;

        HASH_FIND_STR(h->vms, uuid, vm);
        return vm;
}

Vm *host_find_vm_by_any(Host *h, const char *name) {
        Vm *vm = host_find_vm(h, name);

        for (Vm *i = h->vms; i && !vm; i = i->hh.next)
                if (streq(i->row.name, name))
                        vm = i;
        return vm;
}

void host_take_facts(Host *h, HostFacts *facts) {
        usec_t now = now_monotonic();

        /* A shorter interval is too short for a percentage. */
        if (now >= h->facts_at + USEC_PER_SEC / 2) {
                h->cpu_busy = h->facts.cpu_busy;
                h->cpu_idle = h->facts.cpu_idle;
                h->facts_at = now;
        }
        host_facts_done(&h->facts);
        h->facts = *facts;
        *facts = (HostFacts){};
}

double host_cpu_percent(const Host *h) {
        double busy, idle;

        /* A counter that went back began anew. */
        if (h->cpu_idle == 0 || h->facts.cpu_busy < h->cpu_busy || h->facts.cpu_idle < h->cpu_idle)
                return 0;
        busy = (double) (h->facts.cpu_busy - h->cpu_busy);
        idle = (double) (h->facts.cpu_idle - h->cpu_idle);
        return busy + idle > 0 ? round(busy / (busy + idle) * 10000) / 100 : 0;
}

uint64_t host_uptime(const Host *h) {
        struct timespec t;

        /* libvirt has no way to ask another machine. */
        if (!host_uri_is_local(h->row.uri) || clock_gettime(CLOCK_BOOTTIME, &t) < 0)
                return 0;
        return (uint64_t) t.tv_sec;
}
