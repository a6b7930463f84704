/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What may prevent the migration of a virtual machine or image, or is not in its result: the one place where
 * it is decided, for the bus, HTTP, hyperctl and the page. Each has a code for programs, a severity, a text,
 * and a remedy. */

#include <jansson.h>

#include "basic/macro.h"

typedef enum ConcernCode {
        /* The migration fails. */
        CONCERN_NO_DISKS,
        CONCERN_DISK_SIZE,
        CONCERN_RDM_PHYSICAL,
        CONCERN_SHARED_DISK,
        CONCERN_INDEPENDENT_DISK,
        CONCERN_CONSOLIDATION_NEEDED,
        CONCERN_ENCRYPTED,
        CONCERN_DISK_ENCRYPTED,
        CONCERN_DISK_KIND,
        CONCERN_OTHER_MACHINE,
        CONCERN_IN_USE,
        CONCERN_TOO_MANY_DISKS,
        CONCERN_TOO_MANY_NICS,
        CONCERN_IMAGE_REFUSED,
        CONCERN_DIFFERENCING,
        CONCERN_DESTINATION_EXISTS,
        /* The result may not be what is expected. */
        CONCERN_NO_SPACE,
        CONCERN_SUSPENDED,
        CONCERN_TOOLS_NOT_RUNNING,
        CONCERN_FIRMWARE,
        CONCERN_TPM,
        CONCERN_PCI_DEVICE,
        CONCERN_USB_DEVICE,
        CONCERN_RDM,
        CONCERN_TEMPLATE,
        CONCERN_COMPRESSED,
        /* Good to know. */
        CONCERN_RUNNING,
        CONCERN_SNAPSHOTS,
        CONCERN_NOT_TRACKED,
        _CONCERN_MAX,
} ConcernCode;

/* A list of concerns is [{"severity", "code", "text", "remedy", "parameters"}], errors first. The text is
 * that of the code, with the parameters in it, a list of strings: so it can be told in other languages.
 *
 * Adds a concern, behind all that are as severe, with one parameter for each "$0", "$1" of its text. 0 or
 * -ENOMEM. */
#define concern_add(concerns, code, ...) \
        concern_add_strv(concerns, code, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })
int concern_add_strv(json_t *concerns, ConcernCode code, const char *const *parameters);
/* The code of the most severe one that is an error, or NULL. */
const char *concerns_error(const json_t *concerns);

typedef struct ConcernDisk {
        const char *label;
        const char *kind; /* if it is neither a file nor a block device: what it is */
        const char *parent; /* the image below it */
        uint64_t size; /* bytes */
        bool size_unknown;
        bool rdm, rdm_physical, shared, independent, encrypted;
} ConcernDisk;

/* What is known of a virtual machine. What is not known is false, 0 or NULL. */
typedef struct ConcernVm {
        bool running, suspended;
        bool in_use; /* its disks, because it runs: they cannot be read meanwhile */
        const char *other_machine; /* where its disks are, if not here */
        bool tools_not_running; /* in the guest of a running one */
        bool is_template;
        bool consolidation_needed;
        bool encrypted;
        bool tpm;
        bool not_tracked; /* changed areas */
        unsigned snapshots;
        const char *firmware; /* "bios", "efi" */
        char *const *pci_devices, *const *usb_devices; /* names of devices of the host */
        size_t n_nics;
        bool has_disks; /* whether @disks is known */
        const ConcernDisk *disks;
        size_t n_disks;
} ConcernVm;

/* Adds the concerns of @vm. 0 or -ENOMEM. */
int concerns_add_vm(json_t *concerns, const ConcernVm *vm);
/* Removes those that are good to know only, as for lists. */
void concerns_shorten(json_t *concerns);
