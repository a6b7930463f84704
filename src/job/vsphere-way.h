/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A way in which disks of a VM are read. */

#include "job/connection.h"
#include "job/vsphere-source.h"

struct VsphereWay {
        VsphereMethod method;
        bool random; /* parts of a disk can be read, of a snapshot of a running VM, too */
        /* 1: the disk can be read this way; 0: it cannot, with the reason in *ret_why_not (caller
         * frees), which completes "NAME: "; negative: an error that was noted in the attempt. */
        int (*probe)(VsphereSource *v, size_t disk, char **ret_why_not);
        /* The same once the disk can be read: asks the server. NULL: opening is enough. */
        int (*try)(VsphereSource *v, size_t disk, char **ret_why_not);
        /* Opens disk @disk (from 0). Notes failures in the attempt. */
        int (*open)(VsphereSource *v, size_t disk, Connection *ret);
};
