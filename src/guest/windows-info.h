/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of a guest that runs Windows. */

#include "guest/windows-network.h"

typedef struct Windows {
        char *directory; /* in the appliance: "/Windows" */
        char *system_hive, *software_hive; /* their files */
        char *set; /* "ControlSet001" */
        const char *arch; /* as drivers name it: "amd64" or "x86"; NULL: another one */
        unsigned build;
        bool server;
        bool utc; /* its clock of the hardware */
        bool disk_driver, nic_driver; /* of virtio */
        WindowsNetwork network;
} Windows;

Windows *windows_free(Windows *w);
