/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <inttypes.h>
#include <zlib.h>

#include "basic/string-util.h"
#include "image/vmdk-stream.h"
#include "unit/lib/test.h"

/* Two grains and a bit. */
#define SECTORS UINT64_C(300)
#define CAPACITY (SECTORS * 512)
#define LAST UINT64_C(256)

/* --- a stream that is made up ------------------------------------------------------------------------ */

typedef struct Stream {
        char data[256 * 1024];
        size_t size;
} Stream;

static Stream stream;

static void put32(size_t at, uint32_t v) {
        v = htole32(v);
        memcpy(stream.data + at, &v, sizeof(v));
}

static void put64(size_t at, uint64_t v) {
        v = htole64(v);
        memcpy(stream.data + at, &v, sizeof(v));
}

static void add_sectors(size_t n) {
        stream.size += n * 512;
}

static size_t add_header(uint64_t directory) {
        size_t at = stream.size;

        memcpy(stream.data + at, "KDMV", 4);
        put32(at + 4, 3);
        put32(at + 8, 3 << 16 | 1);
        put64(at + 12, SECTORS);
        put64(at + 20, 128);
        put64(at + 28, 1);
        put64(at + 36, 2);
        put32(at + 44, 512);
        put64(at + 56, directory);
        put64(at + 64, 4);
        memcpy(stream.data + at + 73, "\n \r\n\1", 5);
        add_sectors(1);
        return at;
}

static void add_marker(uint64_t value, uint32_t type, size_t sectors) {
        put64(stream.size, value);
        put32(stream.size + 12, type);
        add_sectors(1 + sectors);
}

static void add_grain(uint64_t sector, char fill, size_t size) {
        _cleanup_free_ char *data = malloc(size);
        uLongf n = sizeof(stream.data) - stream.size - 12;

        memset(data, fill, size);
        ck_assert_int_eq(compress((Bytef *) stream.data + stream.size + 12, &n, (Bytef *) data, size), Z_OK);
        put64(stream.size, sector);
        put32(stream.size + 8, (uint32_t) n);
        add_sectors((12 + n + 511) / 512);
}

static void add_begin(void) {
        stream = (Stream){};
        add_header(VMDK_AT_END);
        snprintf(stream.data + 512, 1024,
                        "# Disk DescriptorFile\nversion=1\nCID=7a2b3c4d\nparentCID=ffffffff\n"
                        "createType=\"streamOptimized\"\nRDONLY %" PRIu64
                        " SPARSE \"generated-stream.vmdk\"\n",
                        SECTORS);
        add_sectors(3);
}

static void add_end(void) {
        add_marker(4, 1, 4); /* a table */
        add_marker(1, 2, 1); /* the directory */
        add_marker(1, 3, 0);
        add_header(20);
        add_sectors(1);
}

static void make_good(void) {
        add_begin();
        add_grain(0, 'a', 65536);
        add_grain(LAST, 'z', 65536);
        add_end();
}

/* --- decoding it ------------------------------------------------------------------------------------- */

typedef struct Disk {
        char data[3 * VMDK_GRAIN_SIZE];
        unsigned grains;
} Disk;

static Disk disk;

static int on_grain(void *userdata, uint64_t offset, const char *data, size_t size) {
        Disk *d = userdata;

        ck_assert_uint_le(offset + size, CAPACITY);
        memcpy(d->data + offset, data, size);
        d->grains++;
        return 0;
}

/* 0, or -EBADMSG with a text. */
static int decode(size_t step, char **ret_error) {
        const VmdkStreamOptions options = { .capacity = CAPACITY, .grain = on_grain, .userdata = &disk };
        _cleanup_vmdk_stream_ VmdkStream *s = NULL;

        disk = (Disk){};
        ck_assert_int_eq(vmdk_stream_new(&options, &s), 0);
        for (size_t at = 0; at < stream.size;) {
                size_t space;
                char *p = vmdk_stream_space(s, &space);
                size_t n = MIN(MIN(step, space), stream.size - at);

                ck_assert_uint_gt(n, 0);
                memcpy(p, stream.data + at, n);
                int r = vmdk_stream_decode(s, n, ret_error);
                if (r < 0)
                        return r;
                at += n;
        }
        return vmdk_stream_end(s, ret_error);
}

static void assert_good(void) {
        static const size_t steps[] = { 1, 511, 512, 4096, SIZE_MAX };
        _cleanup_free_ char *why = NULL;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                ck_assert_int_eq(decode(steps[i], &why), 0);
                ck_assert_uint_eq(disk.grains, 2);
                ck_assert_int_eq(disk.data[0], 'a');
                ck_assert_int_eq(disk.data[65535], 'a');
                ck_assert_int_eq(disk.data[65536], 0);
                ck_assert_int_eq(disk.data[LAST * 512], 'z');
                ck_assert_int_eq(disk.data[CAPACITY - 1], 'z');
                ck_assert_int_eq(disk.data[CAPACITY], 0); /* what is behind the end is cut off */
        }
}

static void assert_refused(const char *text) {
        static const size_t steps[] = { 100, SIZE_MAX };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                _cleanup_free_ char *why = NULL;
                ck_assert_int_eq(decode(steps[i], &why), -EBADMSG);
                ck_assert_msg(why && strstr(why, text), "\"%s\" is not in \"%s\"", text, strna(why));
        }
}

START_TEST(good) {
        make_good();
        assert_good();
        add_sectors(5); /* filled up with zeroes */
        assert_good();
}
END_TEST

/* As programs other than ESXi write it. */
START_TEST(variants) {
        add_begin();
        put64(56, 2); /* the directory is in front, so that there is no footer */
        add_grain(0, 'a', 65536);
        add_grain(128, 0, 65536); /* a grain of zeroes */
        add_grain(LAST, 'z', 44 * 512); /* the last grain ends with the disk */
        add_marker(0, 0, 0);
        assert_good();
}
END_TEST

START_TEST(empty_disk) {
        _cleanup_free_ char *why = NULL;

        add_begin();
        add_end();
        ck_assert_int_eq(decode(SIZE_MAX, &why), 0);
        ck_assert_uint_eq(disk.grains, 0);
}
END_TEST

/* A stream that just ends is never a disk, wherever it ends. */
START_TEST(cut_off) {
        make_good();
        size_t size = stream.size;

        for (stream.size = 0; stream.size < size; stream.size += 100)
                assert_refused("cut off");
        stream.size = size - 1;
        assert_refused("without its end marker");
}
END_TEST

START_TEST(grains) {
        add_begin();
        add_grain(LAST, 'z', 65536);
        add_grain(0, 'a', 65536);
        assert_refused("a grain for sector 0 where the one for sector 384");
        add_begin();
        add_grain(0, 'a', 65536);
        add_grain(0, 'a', 65536);
        assert_refused("a grain for sector 0");
        add_begin();
        add_grain(64, 'a', 65536);
        assert_refused("a grain for sector 64");
        add_begin();
        add_grain(384, 'a', 65536);
        assert_refused("a grain for sector 384");
        static const size_t sizes[] = { 1, 44 * 512, 65535, 65537, 200000 };
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                add_begin();
                add_grain(0, 'a', sizes[i]);
                add_sectors(300);
                assert_refused("the grain for sector 0 cannot be decompressed");
        }
        add_begin();
        put32(stream.size + 8, 2 * 65536 + 1);
        add_sectors(300);
        assert_refused("has 131073 bytes");
}
END_TEST

START_TEST(damaged_grain) {
        make_good();
        stream.data[2048 + 12 + 12] ^= 1;
        assert_refused("cannot be decompressed");
        make_good();
        /* The last byte of zlib's checksum. */
        stream.data[2048 + 12 + (uint8_t) stream.data[2048 + 8] - 1] ^= 1;
        assert_refused("cannot be decompressed");
        make_good();
        /* A size that is one byte too small: the checksum of zlib is behind it. */
        stream.data[2048 + 8]--;
        assert_refused("cannot be decompressed");
}
END_TEST

START_TEST(header) {
        make_good();
        stream.data[0] = 'X';
        assert_refused("no VMDK");
        make_good();
        put64(12, SECTORS + 1);
        assert_refused("a disk of 154112 bytes, but the disk has 153600");
        make_good();
        put32(8, 1 | 1 << 16);
        assert_refused("no streamOptimized");
        make_good();
        put64(20, 256);
        assert_refused("grains of 131072 bytes");
        make_good();
        put64(64, 0);
        assert_refused("first grain at byte 0");
        make_good();
        put64(36, 4);
        assert_refused("a descriptor of 2048 bytes at byte 512");
        make_good();
        put64(28, UINT64_MAX);
        assert_refused("a descriptor of");
        make_good();
        put64(28, 0);
        assert_refused("no descriptor");
}
END_TEST

START_TEST(descriptor) {
        make_good();
        memcpy(strstr(stream.data + 512, "ffffffff"), "12345678", 8);
        assert_refused("on top of another disk");
        make_good();
        memcpy(strstr(stream.data + 512, "SPARSE"), "FLAT  ", 6);
        assert_refused("descriptor inside");
        make_good();
        memset(stream.data + 512, 'x', 1024);
        assert_refused("the descriptor inside is not one");
}
END_TEST

START_TEST(markers) {
        add_begin();
        add_marker(1, 9, 0);
        assert_refused("no marker of the type 9");
        add_begin();
        add_marker(UINT64_C(1) << 40, 1, 0);
        assert_refused("a table of 1099511627776 sectors");
        add_begin();
        for (size_t i = 0; i < 30; i++)
                add_marker(0, 1, 0);
        assert_refused("more than the disk can have");
        add_begin();
        add_marker(0, 0, 0);
        assert_refused("without a footer");
        add_begin();
        add_marker(2, 3, 2);
        assert_refused("its footer has 2 sectors");
        add_begin();
        add_marker(1, 3, 1);
        assert_refused("its footer is damaged");
        add_begin();
        add_marker(1, 3, 0);
        put64(add_header(20) + 12, SECTORS - 1);
        assert_refused("another disk than its header");
        make_good();
        stream.data[stream.size - 1] = 1;
        assert_refused("end marker is not empty");
        make_good();
        stream.data[stream.size++] = 1;
        assert_refused("something follows behind its end");
}
END_TEST

static int refuse_grain(_unused_ void *userdata, _unused_ uint64_t offset, _unused_ const char *data,
                _unused_ size_t size) {
        return -EPIPE;
}

START_TEST(receiver_fails) {
        const VmdkStreamOptions options = { .capacity = CAPACITY, .grain = refuse_grain };
        _cleanup_vmdk_stream_ VmdkStream *s = NULL;
        _cleanup_free_ char *why = NULL;
        size_t space;

        make_good();
        ck_assert_int_eq(vmdk_stream_new(&options, &s), 0);
        char *p = vmdk_stream_space(s, &space);
        ck_assert_uint_ge(space, stream.size);
        memcpy(p, stream.data, stream.size);
        ck_assert_int_eq(vmdk_stream_decode(s, stream.size, &why), -EPIPE);
        ck_assert_ptr_null(why);
}
END_TEST

TEST_MAIN("vmdk-stream", good, variants, empty_disk, cut_off, grains, damaged_grain, header, descriptor,
                markers, receiver_fails)
