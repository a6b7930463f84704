/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/vm-concerns.h"

#include "basic/string-util.h"
#include "spec/concern.h"
#include "json/json-table.h"

static ConcernVm from_summary(const VmSummary *v) {
        return (ConcernVm){
                .running = v->power == VM_POWERED_ON,
                .suspended = v->power == VM_SUSPENDED,
                .tools_not_running = streq_ptr(v->tools_status, "guestToolsNotRunning"),
                .is_template = v->is_template,
                .consolidation_needed = v->consolidation_needed,
        };
}

static int make_list(const ConcernVm *facts, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();
        int r = list ? concerns_add_vm(list, facts) : -ENOMEM;

        if (r >= 0)
                *ret = TAKE_PTR(list);
        return r;
}

int vm_summary_concerns(const VmSummary *v, json_t **ret) {
        const ConcernVm facts = from_summary(v);
        int r = make_list(&facts, ret);

        if (r >= 0)
                concerns_shorten(*ret);
        return r;
}

int vm_concerns(const VmDetail *d, json_t **ret) {
        _cleanup_free_ ConcernDisk *disks = new0(ConcernDisk, MAX(d->n_disks, (size_t) 1));
        ConcernVm facts = from_summary(&d->summary);

        if (!disks)
                return -ENOMEM;
        for (size_t i = 0; i < d->n_disks; i++) {
                const VmDisk *v = &d->disks[i];

                disks[i] = (ConcernDisk){
                        .label = v->label,
                        .size = v->capacity,
                        .rdm = v->rdm,
                        .rdm_physical = v->rdm_physical,
                        .shared = v->shared,
                        .independent = v->mode && startswith(v->mode, "independent"),
                };
        }
        facts.encrypted = d->encrypted;
        facts.tpm = d->tpm;
        facts.not_tracked = !d->change_tracking;
        facts.snapshots = d->n_snapshots;
        facts.firmware = d->firmware;
        facts.pci_devices = d->pci_devices;
        facts.usb_devices = d->usb_devices;
        facts.n_nics = d->n_nics;
        facts.has_disks = true;
        facts.disks = disks;
        facts.n_disks = d->n_disks;
        return make_list(&facts, ret);
}
