/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a Windows needs in its registry so that it starts on KVM, as tables. In keys, "{set}" is the control
 * set, "{driver}" the name of a driver, "{id}" an ID of a PCI device. */

#include "guest/registry-edit.h"

/* Builds of Windows. */
#define WINDOWS_VISTA 6000u
#define WINDOWS_8 9200u

typedef struct WindowsDriver {
        const char *name; /* of the service; <name>.sys is the driver */
        const char *ids[3]; /* of the devices, legacy and modern; NULL at the end */
} WindowsDriver;

/* The drivers that Windows may need to read its disk. */
extern const WindowsDriver windows_boot_drivers[];
extern const size_t n_windows_boot_drivers;

extern const RegistryEdit windows_driver_edits[]; /* of each boot driver */
extern const RegistryEdit windows_package_edits[]; /* the same, since Windows 8 */
extern const RegistryEdit windows_package_id_edits[]; /* of each ID, since Windows 8 */
extern const RegistryEdit windows_critical_edits[]; /* of each ID, before Windows 8 */
extern const RegistryEdit windows_system_edits[]; /* of each Windows */
extern const RegistryEdit windows_software_edits[]; /* the hive SOFTWARE, if drivers were installed */
extern const RegistryEdit windows_first_boot_edits[]; /* if the first-boot helper was installed */

/* The names of the directories of virtio-win that have drivers for a build, the best one first; NULL at the
 * end. NULL: it is too old. */
const char *const *windows_driver_directories(unsigned build, bool server);
