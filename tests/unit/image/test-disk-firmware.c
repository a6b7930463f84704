/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The firmware that a disk is made for. */

#include <endian.h>

#include "image/disk-firmware.h"
#include "unit/lib/test.h"

static const uint8_t esp[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0,
        0xc9, 0x3e, 0xc9, 0x3b };

static uint8_t head[DISK_FIRMWARE_HEAD];

static void make_mbr(uint8_t status, uint8_t type) {
        memset(head, 0, sizeof(head));
        head[446] = status;
        head[450] = type;
        head[510] = 0x55;
        head[511] = 0xaa;
}

static void put(size_t at, uint64_t value, size_t size) {
        value = htole64(value);
        memcpy(head + at, &value, size);
}

static void make_gpt(void) {
        make_mbr(0, 0xee);
        memcpy(head + 512, "EFI PART", 8);
        put(512 + 72, 2, 8);
        put(512 + 80, 128, 4);
        put(512 + 84, 128, 4);
}

static VmFirmware firmware(void) {
        return disk_firmware(head, sizeof(head));
}

START_TEST(mbr_disks) {
        make_mbr(0x80, 0x83);
        ck_assert_int_eq(firmware(), VM_FIRMWARE_BIOS);
        make_mbr(0, 0xef);
        ck_assert_int_eq(firmware(), VM_FIRMWARE_EFI);
        make_mbr(0x80, 0xef);
        ck_assert_int_eq(firmware(), VM_FIRMWARE_BIOS);
        head[511] = 0;
        ck_assert_int_eq(firmware(), VM_FIRMWARE_UNKNOWN);
}
END_TEST

START_TEST(gpt_disks) {
        make_gpt();
        ck_assert_int_eq(firmware(), VM_FIRMWARE_BIOS);
        memcpy(head + 1024 + 127 * 128, esp, sizeof(esp)); /* the last one */
        ck_assert_int_eq(firmware(), VM_FIRMWARE_EFI);
        head[1024 + 48] = 1 << 2; /* legacy boot */
        ck_assert_int_eq(firmware(), VM_FIRMWARE_BIOS);
        head[1024 + 48] = 0;
        memcpy(head + 1024 + 128, "Hah!IdontNeedEFI", 16);
        ck_assert_int_eq(firmware(), VM_FIRMWARE_BIOS);
}
END_TEST

START_TEST(malformed_disks) {
        for (size_t size = 0; size < 1024; size++)
                ck_assert_int_eq(disk_firmware(head, size), VM_FIRMWARE_UNKNOWN);
        make_gpt();
        put(512 + 72, UINT64_MAX, 8);
        ck_assert_int_eq(firmware(), VM_FIRMWARE_UNKNOWN);
        make_gpt();
        put(512 + 84, 0, 4);
        ck_assert_int_eq(firmware(), VM_FIRMWARE_UNKNOWN);
        make_gpt();
        put(512 + 80, UINT32_MAX, 4);
        put(512 + 84, 4096, 4);
        ck_assert_int_eq(firmware(), VM_FIRMWARE_BIOS);
}
END_TEST

TEST_MAIN("disk-firmware", mbr_disks, gpt_disks, malformed_disks)
