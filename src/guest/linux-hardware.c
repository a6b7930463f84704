/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/linux-hardware.h"

#include <stdlib.h>

#include "basic/string-util.h"

/* Whose programs do not start on an older processor. */
static const struct {
        const char *distro;
        int major;
        const char *level;
} levels[] = {
        { "rhel", 10, "x86-64-v3" },
        { "centos", 10, "x86-64-v3" },
        { "rocky", 10, "x86-64-v3" },
        { "rhel", 9, "x86-64-v2" },
        { "centos", 9, "x86-64-v2" },
        { "rocky", 9, "x86-64-v2" },
        { "almalinux", 9, "x86-64-v2" },
        { "oraclelinux", 9, "x86-64-v2" },
        { "sles", 16, "x86-64-v2" },
};

static const char *find_level(const char *distro, int major) {
        for (size_t i = 0; distro && i < ELEMENTSOF(levels); i++)
                if (streq(levels[i].distro, distro) && major >= levels[i].major)
                        return levels[i].level;
        return NULL;
}

/* Before 2.6.25 there is no virtio, and AHCI is young. */
static bool kernel_is_old(const char *version) {
        char *end;

        if (!version)
                return false;
        unsigned long major = strtoul(version, &end, 10), minor, patch;
        minor = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
        patch = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
        return major < 2 || (major == 2 && (minor < 6 || (minor == 6 && patch < 25)));
}

/* The third line of hwclock(8)'s file. */
static bool clock_is_local(const char *adjtime) {
        const char *second = adjtime ? strchr(adjtime, '\n') : NULL,
                   *third = second ? strchr(second + 1, '\n') : NULL;

        return third && startswith(third + 1, "LOCAL");
}

LinuxHardware linux_hardware(
                const char *distro, int major, const char *kernel, bool virtio, const char *adjtime) {
        bool old = kernel_is_old(kernel);

        return (LinuxHardware){
                .disk_bus = virtio    ? "virtio"
                                : old ? "ide"
                                      : "sata",
                .nic_model = virtio   ? "virtio"
                                : old ? "rtl8139"
                                      : "e1000e",
                .machine = old ? "pc" : "q35",
                .cpu_min = find_level(distro, major),
                .rtc = clock_is_local(adjtime) ? "localtime" : "utc",
        };
}
