/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/guest-hardware.h"

#include <strings.h>

/* The first row that fits counts. */
static const GuestHardware guests[] = {
        /* Windows before Vista has no driver for AHCI. */
        { "win31", VM_BUS_IDE, "rtl8139", true, true },
        { "win95", VM_BUS_IDE, "rtl8139", true, true },
        { "win98", VM_BUS_IDE, "rtl8139", true, true },
        { "winMe", VM_BUS_IDE, "rtl8139", true, true },
        { "winNT", VM_BUS_IDE, "rtl8139", true, true },
        { "win2000", VM_BUS_IDE, "rtl8139", true, true },
        { "winXP", VM_BUS_IDE, "rtl8139", true, true },
        { "winNet", VM_BUS_IDE, "rtl8139", true, true }, /* Server 2003 */
        { "WindowsNT", VM_BUS_IDE, "rtl8139", true, true },
        { "Windows2000", VM_BUS_IDE, "rtl8139", true, true },
        { "WindowsXP", VM_BUS_IDE, "rtl8139", true, true },
        { "Windows2003", VM_BUS_IDE, "rtl8139", true, true },
        /* Later ones have drivers for virtio only if somebody has installed them. */
        { "win", VM_BUS_SATA, "e1000e", true, false },
        /* Linux before 2.6.25 */
        { "rhel2", VM_BUS_IDE, "rtl8139", false, true },
        { "rhel3", VM_BUS_IDE, "rtl8139", false, true },
        { "rhel4", VM_BUS_IDE, "e1000", false, true },
        { "redhat", VM_BUS_IDE, "rtl8139", false, true },
        { "centos4", VM_BUS_IDE, "e1000", false, true },
        { "suse", VM_BUS_IDE, "rtl8139", false, true },
        { "slesGuest", VM_BUS_IDE, "e1000", false, true },
        { "sles64Guest", VM_BUS_IDE, "e1000", false, true },
        { "debian4", VM_BUS_IDE, "e1000", false, true },
        { "other24xLinux", VM_BUS_IDE, "rtl8139", false, true },
        { "Linux24", VM_BUS_IDE, "rtl8139", false, true },
        /* others */
        { "dos", VM_BUS_IDE, "rtl8139", false, true },
        { "os2", VM_BUS_IDE, "rtl8139", false, true },
        { "netware", VM_BUS_IDE, "rtl8139", false, true },
        { "solaris", VM_BUS_SATA, "e1000", false, false },
        { "vmkernel", VM_BUS_SATA, "e1000e", false, false },
};

static const GuestHardware unknown = { "", VM_BUS_VIRTIO, "virtio", false, false };

const GuestHardware *guest_hardware(const char *id) {
        for (size_t i = 0; id && i < ELEMENTSOF(guests); i++)
                if (strncasecmp(id, guests[i].prefix, strlen(guests[i].prefix)) == 0)
                        return &guests[i];
        return &unknown;
}
