/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/disk-firmware.h"

#include <string.h>

#include "basic/byte-order.h"

#define SECTOR 512u
#define MBR_ENTRIES 446u
#define MBR_ACTIVE 0x80
#define MBR_TYPE_ESP 0xef
#define GPT_ENTRY_MIN 128u
/* Of an entry: what a BIOS may start */
#define ATTRIBUTE_LEGACY_BOOT (UINT64_C(1) << 2)

static const uint8_t guid_esp[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0,
        0xc9, 0x3e, 0xc9, 0x3b };
/* 21686148-6449-6E6F-744E-656564454649, where GRUB is for a BIOS */
static const uint8_t guid_bios_boot[16] = { 'H', 'a', 'h', '!', 'I', 'd', 'o', 'n', 't', 'N', 'e', 'e', 'd',
        'E', 'F', 'I' };

static VmFirmware firmware_of_mbr(const char *head) {
        bool active = false, esp = false;

        for (size_t i = 0; i < 4; i++) {
                const char *entry = head + MBR_ENTRIES + i * 16;
                active = active || (uint8_t) entry[0] == MBR_ACTIVE;
                esp = esp || (uint8_t) entry[4] == MBR_TYPE_ESP;
        }
        return esp && !active ? VM_FIRMWARE_EFI : VM_FIRMWARE_BIOS;
}

static VmFirmware firmware_of_gpt(const char *head, size_t size) {
        uint64_t sector = read_le64(head + SECTOR + 72);
        uint32_t n = read_le32(head + SECTOR + 80), step = read_le32(head + SECTOR + 84);
        bool esp = false;

        if (sector < 2 || sector > size / SECTOR || step < GPT_ENTRY_MIN || step > size)
                return VM_FIRMWARE_UNKNOWN;
        for (size_t at = sector * SECTOR; n > 0 && at + GPT_ENTRY_MIN <= size; n--, at += step) {
                const char *entry = head + at;
                if (memcmp(entry, guid_bios_boot, sizeof(guid_bios_boot)) == 0 ||
                                (read_le64(entry + 48) & ATTRIBUTE_LEGACY_BOOT))
                        return VM_FIRMWARE_BIOS;
                esp = esp || memcmp(entry, guid_esp, sizeof(guid_esp)) == 0;
        }
        return esp ? VM_FIRMWARE_EFI : VM_FIRMWARE_BIOS;
}

VmFirmware disk_firmware(const void *data, size_t size) {
        const char *head = data;

        if (size < 2 * SECTOR || memcmp(head + 510, "\x55\xaa", 2) != 0)
                return VM_FIRMWARE_UNKNOWN;
        return memcmp(head + SECTOR, "EFI PART", 8) == 0 ? firmware_of_gpt(head, size)
                                                         : firmware_of_mbr(head);
}
