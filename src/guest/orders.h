/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hyper-job tells hyper-guest to do: one JSON object. */

#include "json/json-table.h"

#define ORDERS_MAX ((size_t) 256 * 1024)
#define ORDERS_DISKS_MAX 64u
#define ORDERS_LUKS_KEYS_MAX 64u

typedef struct Orders {
        json_t *disks; /* [{"path", "format"}], in the order of the source */
        json_t *operations; /* as parameters.fix has them */
        unsigned fix; /* the same, as spec/job-fix.h has it */
        char *root; /* the file system of the operating system if there are several, or NULL */
        json_t *nics; /* [{"mac", "slot"}] of the source, or NULL: unknown */
        char *virtio_win; /* a directory or an ISO image with drivers for Windows, or NULL */
        json_t *luks_keys; /* a list of strings, or NULL */
        bool native; /* each initramfs is made anew by the guest's own program */
        int relabel; /* JobRelabel */
        unsigned memory; /* of the appliance, in MiB; 0: as by default */
        bool force; /* file systems are repaired even if data may be lost */
        char *appliance; /* a directory */
        char *runtime; /* a directory for temporary files */
} Orders;

void orders_done(Orders *o);
#define _cleanup_orders_ _cleanup_(orders_done)

/* 0, -EBADMSG with @errors, or -ENOMEM. */
int orders_parse(const char *text, size_t size, Orders *ret, JsonErrors *errors);
