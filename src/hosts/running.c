/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/running.h"

#include "basic/string-util.h"
#include "hosts/host.h"

/* The MAC address that both have, or NULL. */
static const char *common_mac(const KvmDomain *d, const Vm *vm) {
        for (size_t i = 0; i < d->vm->n_nics; i++)
                if (d->vm->nics[i].mac && strv_contains(vm->row.macs, d->vm->nics[i].mac))
                        return d->vm->nics[i].mac;
        return NULL;
}

static char *describe(const Vm *vm, const char *mac) {
        const Host *host = vm->host;
        const char *what = mac ? "MAC address" : "UUID", *value = mac ? mac : vm->row.uuid;

        if (host->row.state != HOST_CONNECTED)
                return strprintf(
                                "the virtual machine %s with the %s %s ran on the host %s when this was last "
                                "connected: make sure that it is off, then start the domain",
                                vm->row.name, what, value, host->row.id);
        return strprintf(
                        "the virtual machine %s on the host %s runs with the %s %s: stop it, then start the "
                        "domain",
                        vm->row.name, host->row.id, what, value);
}

int hosts_find_running(Hosts *h, const KvmDomain *d, const Host *target, char **ret_text) {
        *ret_text = NULL;
        for (Host *host = h->by_id; host; host = host->hh.next) {
                if (host == target)
                        continue;
                for (Vm *vm = host->vms; vm; vm = vm->hh.next) {
                        const char *mac = vm_is_active(vm) ? common_mac(d, vm) : NULL;

                        if (!mac && !(vm_is_active(vm) && d->vm->uuid && streq(vm->row.uuid, d->vm->uuid)))
                                continue;
                        *ret_text = describe(vm, mac);
                        return *ret_text ? 0 : -ENOMEM;
                }
        }
        return 0;
}
