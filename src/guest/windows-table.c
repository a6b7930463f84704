/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/windows-table.h"

#include "guest/first-boot.h"

/* --- drivers --------------------------------------------------------------------------------------- */

const WindowsDriver windows_boot_drivers[] = {
        { "viostor",
                        { "VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00",
                                        "VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01" } },
        { "vioscsi",
                        { "VEN_1AF4&DEV_1004&SUBSYS_00081AF4&REV_00",
                                        "VEN_1AF4&DEV_1048&SUBSYS_11001AF4&REV_01" } },
};
const size_t n_windows_boot_drivers = ELEMENTSOF(windows_boot_drivers);

/* The class of SCSI adapters. */
#define SCSI_CLASS "{4D36E97B-E325-11CE-BFC1-08002BE10318}"

#define SERVICE "{set}\\Services\\{driver}"

const RegistryEdit windows_driver_edits[] = {
        { SERVICE, "Type", REGISTRY_NUMBER, .number = 1 }, /* a driver of the kernel */
        { SERVICE, "Start", REGISTRY_NUMBER, .number = 0 }, /* started by the boot loader */
        { SERVICE, "Group", REGISTRY_TEXT, .text = "SCSI miniport" },
        { SERVICE, "ErrorControl", REGISTRY_NUMBER, .number = 1 },
        { SERVICE, "ImagePath", REGISTRY_EXPAND, .text = "system32\\drivers\\{driver}.sys" },
        /* Windows sets it for drivers that it did not need the last time. */
        { SERVICE "\\StartOverride", .action = REGISTRY_REMOVE },
        {},
};

/* Since Windows 8, plug and play looks for drivers in this database. It replaces the package when Windows
 * installs the real one. */
#define INF_PACKAGE "DriverDatabase\\DriverPackages\\hyper-{driver}.inf_hyper"

/* Flags, the class, and a date and a version of zero. */
static const char package_version[] = "\x00\xff\x09\x00\x00\x00\x00\x00"
                                      "\x7b\xe9\x36\x4d\x25\xe3\xce\x11"
                                      "\xbf\xc1\x08\x00\x2b\xe1\x03\x18"
                                      "\x00\x00\x00\x00\x00\x00\x00\x00"
                                      "\x00\x00\x00\x00\x00\x00\x00\x00"
                                      "\x00\x00\x00\x00\x00\x00\x00";

const RegistryEdit windows_package_edits[] = {
        { "DriverDatabase\\DriverInfFiles\\hyper-{driver}.inf", "", REGISTRY_LIST,
                        .text = "hyper-{driver}.inf_hyper" },
        { "DriverDatabase\\DriverInfFiles\\hyper-{driver}.inf", "Active", REGISTRY_TEXT,
                        .text = "hyper-{driver}.inf_hyper" },
        { "DriverDatabase\\DriverInfFiles\\hyper-{driver}.inf", "Configurations", REGISTRY_LIST,
                        .text = "hyper-{driver}" },
        { INF_PACKAGE, "Version", REGISTRY_BINARY, .data = package_version,
                        .size = sizeof(package_version) },
        { INF_PACKAGE "\\Configurations\\hyper-{driver}", "ConfigFlags", REGISTRY_NUMBER, .number = 0 },
        { INF_PACKAGE "\\Configurations\\hyper-{driver}", "Service", REGISTRY_TEXT, .text = "{driver}" },
        {},
};

const RegistryEdit windows_package_id_edits[] = {
        { "DriverDatabase\\DeviceIds\\PCI\\{id}", "hyper-{driver}.inf", REGISTRY_BINARY,
                        .data = "\x01\xff\x00\x00", .size = 4 },
        { INF_PACKAGE "\\Descriptors\\PCI\\{id}", "Configuration", REGISTRY_TEXT, .text = "hyper-{driver}" },
        {},
};

#define CRITICAL "{set}\\Control\\CriticalDeviceDatabase\\PCI#{id}"

const RegistryEdit windows_critical_edits[] = {
        { CRITICAL, "Service", REGISTRY_TEXT, .text = "{driver}" },
        { CRITICAL, "ClassGUID", REGISTRY_TEXT, .text = SCSI_CLASS },
        {},
};

/* --- the rest -------------------------------------------------------------------------------------- */

#define DISABLE(service) \
        { "{set}\\Services\\" service, "Start", REGISTRY_NUMBER, .number = 4, .action = REGISTRY_SET_IF_KEY }
#define START_AT_BOOT(service) \
        { "{set}\\Services\\" service, "Start", REGISTRY_NUMBER, .number = 0, .action = REGISTRY_SET_IF_KEY }

const RegistryEdit windows_system_edits[] = {
        /* A blue screen remains visible. */
        { "{set}\\Control\\CrashControl", "AutoReboot", REGISTRY_NUMBER, .number = 0 },
        /* SATA is what a guest without drivers has, and what remains if they fail. msahci is that of Windows
         * before 8. */
        START_AT_BOOT("storahci"),
        { "{set}\\Services\\storahci\\StartOverride", .action = REGISTRY_REMOVE },
        START_AT_BOOT("msahci"),
        /* VMware's drivers load only for its devices, but its services do not know where they are. */
        DISABLE("VMTools"),
        DISABLE("vmvss"),
        DISABLE("VGAuthService"),
        DISABLE("vm3dservice"),
        {},
};

const RegistryEdit windows_software_edits[] = {
        { "Microsoft\\Windows\\CurrentVersion", "DevicePath", REGISTRY_EXPAND,
                        .text = "%SystemRoot%\\" WINDOWS_DRIVERS, .action = REGISTRY_APPEND },
        {},
};

/* A service: programs of RunOnce wait until an administrator logs in. */
#define HELPER "{set}\\Services\\" FIRST_BOOT_SERVICE

const RegistryEdit windows_first_boot_edits[] = {
        { HELPER, "Type", REGISTRY_NUMBER, .number = 0x10 }, /* a process */
        { HELPER, "Start", REGISTRY_NUMBER, .number = 2 }, /* automatic */
        { HELPER, "ErrorControl", REGISTRY_NUMBER, .number = 0 },
        { HELPER, "ImagePath", REGISTRY_EXPAND, .text = "%SystemRoot%\\" FIRST_BOOT_PROGRAM },
        { HELPER, "ObjectName", REGISTRY_TEXT, .text = "LocalSystem" },
        { HELPER, "DisplayName", REGISTRY_TEXT, .text = "hyper first boot" },
        {},
};

/* --- versions -------------------------------------------------------------------------------------- */

static const struct {
        unsigned build; /* from this one on */
        bool server;
        const char *directories[5];
} versions[] = {
        { 26040, true, { "2k25", "2k22", "2k19", "2k16" } },
        { 20348, true, { "2k22", "2k19", "2k16" } },
        { 17763, true, { "2k19", "2k16" } },
        { 10240, true, { "2k16" } },
        { 9600, true, { "2k12R2", "2k12" } },
        { WINDOWS_8, true, { "2k12" } },
        { 7600, true, { "2k8R2" } },
        { WINDOWS_VISTA, true, { "2k8" } },
        { 22000, false, { "w11", "w10" } },
        { 10240, false, { "w10" } },
        { 9600, false, { "w8.1", "w8" } },
        { WINDOWS_8, false, { "w8" } },
        { 7600, false, { "w7" } },
        { WINDOWS_VISTA, false, { "2k8" } },
};

const char *const *windows_driver_directories(unsigned build, bool server) {
        for (size_t i = 0; i < ELEMENTSOF(versions); i++)
                if (versions[i].server == server && build >= versions[i].build)
                        return versions[i].directories;
        return NULL;
}
