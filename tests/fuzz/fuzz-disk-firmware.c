/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first bytes of a disk. */

#include "fuzz.h"
#include "image/disk-firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        VmFirmware f = disk_firmware(data, size);

        if (f < 0 || f >= _VM_FIRMWARE_MAX)
                abort();
        return 0;
}
