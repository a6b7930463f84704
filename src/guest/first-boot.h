/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The first-boot helper: a program for Windows (src/firstboot) that does what can be done only there. */

#include "guest/windows-network.h"

/* Below the directory of Windows, as Windows has them. src/firstboot/README.md describes the orders. */
#define WINDOWS_DRIVERS "Drivers\\VirtIO"
#define FIRST_BOOT_PROGRAM "hyper-firstboot.exe"
#define FIRST_BOOT_ORDERS "hyper-firstboot.txt"
#define FIRST_BOOT_SERVICE "hyper-firstboot"

/* What it is to do. NULL when out of memory; the caller frees. */
char *first_boot_text(const WindowsNetwork *network);
