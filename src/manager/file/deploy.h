/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A domain for disk images that exist below the directories of files.roots: what is to be defined, and
 * whether the images are what they are said to be. */

#include <systemd/sd-bus.h>

#include "spec/disk-format.h"
#include "spec/kvm-domain.h"
#include "json/json-table.h"

#define DEPLOY_DEFINITION_MAX ((size_t) 64 * 1024)
#define DEPLOY_DISKS_MAX 20u

typedef struct DeployDefinition {
        char *name, *network, *nic_model, *mac;
        char **paths, **formats; /* of the disks, qcow2 or raw */
        int buses[DEPLOY_DISKS_MAX]; /* VmBus; unknown: @bus */
        unsigned cpu;
        uint64_t memory_mb;
        int firmware; /* VmFirmware: unknown, it is chosen by the first disk */
        bool secure_boot;
        int bus; /* VmBus */
        bool autostart, start, headless;
} DeployDefinition;
void deploy_definition_done(DeployDefinition *d);

/* The body of POST /vms/deploy of the v1 API, as text. Unknown fields are ignored. 0, -EBADMSG with all that
 * is wrong in @errors, -ENOMEM. */
int deploy_definition_decode(const char *text, DeployDefinition *ret, JsonErrors *errors);

/* Opens the images below @roots, and refuses those of another format, and those that refer to other files.
 * Sets d->firmware if it is unknown. 0, or negative errno with @error set. Blocks. */
int deploy_check_disks(DeployDefinition *d, char *const *roots, sd_bus_error *error);

/* The firmware that the disk in an image is made for; VM_FIRMWARE_UNKNOWN if it cannot be told. */
VmFirmware deploy_firmware(int fd, DiskFormat format);

/* For hyper-hostd. 0 or -ENOMEM. */
int deploy_domain(const DeployDefinition *d, KvmDomain **ret);
