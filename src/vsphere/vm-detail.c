/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/vm-detail.h"

#include "basic/string-util.h"

static void disk_done(VmDisk *d) {
        free(d->label);
        free(d->backing);
        free(d->file);
        free(d->base_file);
        free(d->uuid);
        free(d->content_id);
        free(d->change_id);
        free(d->mode);
}

static void nic_done(VmNic *n) {
        free(n->label);
        free(n->type);
        free(n->mac);
        free(n->network);
}

void vm_detail_done(VmDetail *d) {
        vm_summary_done(&d->summary);
        free(d->firmware);
        free(d->hardware_version);
        free(d->annotation);
        free(d->host);
        free(d->modified);
        free(d->datacenter_path);
        strv_free(d->pci_devices);
        strv_free(d->usb_devices);
        for (size_t i = 0; i < d->n_controllers; i++)
                free(d->controllers[i].type);
        for (size_t i = 0; i < d->n_disks; i++)
                disk_done(&d->disks[i]);
        for (size_t i = 0; i < d->n_nics; i++)
                nic_done(&d->nics[i]);
        for (size_t i = 0; i < d->n_cdroms; i++) {
                free(d->cdroms[i].label);
                free(d->cdroms[i].file);
        }
        for (size_t i = 0; i < d->n_listed; i++) {
                free(d->snapshots[i].id);
                free(d->snapshots[i].name);
                free(d->snapshots[i].created);
        }
        free(d->snapshots);
        free(d->controllers);
        free(d->disks);
        free(d->nics);
        free(d->cdroms);
        *d = (VmDetail){};
}
