/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls that define a domain for disks that no job has made (libvirt-error.h). */

#include <libvirt/libvirt.h>

#include "spec/kvm-domain.h"

typedef struct DeployedVm {
        char *uuid;
        char *mac; /* of its first NIC, or NULL */
        unsigned vnc_port; /* 0: it does not run */
        bool running;
} DeployedVm;
void deployed_vm_done(DeployedVm *vm);

/* Defines it on this machine, and starts it if d->start; if it does not start, it is not defined, either. Its
 * disks are never changed or removed. -EEXIST: the name or a disk is in use; -EINVAL: the network, or what
 * else libvirt lacks; -EREMOTEIO: libvirt refuses. All with text. */
int libvirt_deploy(virConnectPtr connection, const KvmDomain *d, bool autostart, DeployedVm *ret,
                char **ret_error);
