/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <iconv.h>
#include <stdio.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/hyperv-names.h"

#define NAME_SIZE_MAX 4096u

static int complain(char **ret_error, const char *what) {
        *ret_error = strdup(what);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

static int read_inside(int fd, uint64_t size, void *buf, size_t n, uint64_t at, char **ret_error) {
        if (at > size || n > size - at)
                return complain(ret_error, "its header names a place behind its end: it is cut off");
        return pread_full(fd, buf, n, at);
}

/* NULL: not text, or out of memory; the caller frees it. Ends at a NUL. */
static char *from_utf16(const char *data, size_t size, const char *encoding) {
        size_t n = 0, room;

        while (n + 2 <= size && (data[n] || data[n + 1]))
                n += 2;
        room = n * 2;
        _cleanup_free_ char *text = malloc(room + 1);
        char *in = (char *) data, *out = text;
        if (!text)
                return NULL;
        iconv_t cd = iconv_open("UTF-8", encoding);
        if (cd == (iconv_t) -1)
                return NULL;
        bool failed = iconv(cd, &in, &n, &out, &room) == (size_t) -1;
        (void) iconv_close(cd);
        *out = 0;
        return failed || !utf8_is_valid(text) ? NULL : TAKE_PTR(text);
}

static int add_name(ImageNames *n, const char *data, size_t size, const char *encoding) {
        _cleanup_free_ char *name = from_utf16(data, size, encoding);

        return isempty(name) || strv_contains(n->parents, name) ? 0 : strv_extend(&n->parents, name);
}

/* --- vhd ------------------------------------------------------------------------------------------- */

#define VHD_FOOTER 512u
#define VHD_DYNAMIC_HEADER 1024u
#define VHD_DIFFERENCING 4
#define VHD_LOCATORS 8u

static char *vhd_id(const char *uuid) {
        char text[33];

        for (size_t i = 0; i < 16; i++)
                snprintf(text + 2 * i, 3, "%02x", (unsigned char) uuid[i]);
        return strprintf("UUID %s", text);
}

/* Relative before absolute: the absolute one is of another machine. */
static int read_locators(int fd, uint64_t size, const char *header, const char *platform, ImageNames *n,
                char **ret_error) {
        char name[NAME_SIZE_MAX];

        for (unsigned k = 0; k < VHD_LOCATORS; k++) {
                const char *entry = header + 576 + (size_t) 24 * k;
                uint32_t length = read_be32(entry + 8);

                if (memcmp(entry, platform, 4) != 0 || length == 0)
                        continue;
                if (length > sizeof(name))
                        return complain(ret_error, "the name of its parent is too long");
                int r = read_inside(fd, size, name, length, read_be64(entry + 16), ret_error);
                if (r >= 0)
                        r = add_name(n, name, length, "UTF-16LE");
                if (r < 0)
                        return r;
        }
        return 0;
}

int vhd_names_read(int fd, uint64_t size, ImageNames *n, char **ret_error) {
        char footer[VHD_FOOTER], header[VHD_DYNAMIC_HEADER];

        int r = read_inside(fd, size, footer, sizeof(footer), size - sizeof(footer), ret_error);
        if (r < 0)
                return r;
        n->id = vhd_id(footer + 68);
        if (!n->id)
                return -ENOMEM;
        if (read_be32(footer + 60) != VHD_DIFFERENCING)
                return 0;
        n->has_parent = true;
        n->parent_format = FORMAT_VHD;
        r = read_inside(fd, size, header, sizeof(header), read_be64(footer + 16), ret_error);
        if (r < 0)
                return r;
        if (memcmp(header, "cxsparse", 8) != 0)
                return complain(ret_error,
                                "it is a differencing disk without a header that names its parent");
        n->parent_id = vhd_id(header + 40);
        if (!n->parent_id)
                return -ENOMEM;
        r = read_locators(fd, size, header, "W2ru", n, ret_error);
        if (r >= 0)
                r = add_name(n, header + 64, 512, "UTF-16BE");
        return r < 0 ? r : read_locators(fd, size, header, "W2ku", n, ret_error);
}

/* --- vhdx ------------------------------------------------------------------------------------------ */

#define VHDX_HEADER 4096u
#define VHDX_TABLE (64u * 1024)
#define VHDX_REGIONS_MAX 2047u
#define VHDX_ITEMS_MAX 1023u
#define VHDX_LOCATOR_MAX (64u * 1024)
#define VHDX_HAS_PARENT 2u

/* GUIDs as they lie in the file. */
#define GUID_METADATA "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"
#define GUID_FILE_PARAMETERS "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"
#define GUID_PARENT_LOCATOR "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"

/* CRC-32C of @data as if the four bytes at 4 were zero. */
static uint32_t checksum(const char *data, size_t size) {
        uint32_t crc = UINT32_MAX;

        for (size_t i = 0; i < size; i++) {
                crc ^= i >= 4 && i < 8 ? 0 : (unsigned char) data[i];
                for (int k = 0; k < 8; k++)
                        crc = crc >> 1 ^ (UINT32_C(0x82f63b78) & -(crc & 1));
        }
        return ~crc;
}

static bool is_valid(const char *data, size_t size, const char *signature) {
        return memcmp(data, signature, 4) == 0 && read_le32(data + 4) == checksum(data, size);
}

static char *guid_text(const char *p) {
        const unsigned char *g = (const unsigned char *) p;

        return strprintf("{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", read_le32(p),
                        read_le16(p + 4), read_le16(p + 6), g[8], g[9], g[10], g[11], g[12], g[13], g[14],
                        g[15]);
}

/* What images on top of this one know it by is in the newer one of its two headers. */
static int read_data_guid(int fd, uint64_t size, ImageNames *n, char **ret_error) {
        static const uint64_t places[] = { 64 * 1024, 128 * 1024 };
        char header[VHDX_HEADER], guid[16];
        uint64_t newest = 0;
        bool found = false;

        for (size_t k = 0; k < ELEMENTSOF(places); k++) {
                int r = read_inside(fd, size, header, sizeof(header), places[k], ret_error);
                if (r < 0)
                        return r;
                uint64_t sequence = read_le64(header + 8);
                if (!is_valid(header, sizeof(header), "head") || (found && sequence <= newest))
                        continue;
                found = true;
                newest = sequence;
                memcpy(guid, header + 32, sizeof(guid));
        }
        n->id = found ? guid_text(guid) : NULL;
        return found && !n->id ? -ENOMEM : 0;
}

/* Where the metadata are: 1, or 0 if no table says so. */
static int find_metadata(int fd, uint64_t size, uint64_t *ret, char **ret_error) {
        static const uint64_t places[] = { 192 * 1024, 256 * 1024 };
        _cleanup_free_ char *table = malloc(VHDX_TABLE);

        if (!table)
                return -ENOMEM;
        for (size_t k = 0; k < ELEMENTSOF(places); k++) {
                int r = read_inside(fd, size, table, VHDX_TABLE, places[k], ret_error);
                if (r < 0)
                        return r;
                uint32_t entries = read_le32(table + 8);
                if (!is_valid(table, VHDX_TABLE, "regi") || entries > VHDX_REGIONS_MAX)
                        continue;
                for (uint32_t i = 0; i < entries; i++) {
                        const char *e = table + 16 + (size_t) 32 * i;
                        if (memcmp(e, GUID_METADATA, 16) == 0) {
                                *ret = read_le64(e + 16);
                                return 1;
                        }
                }
        }
        return 0;
}

/* A metadata item in *ret, which the caller frees: its size, or 0 if there is none. */
static int read_item(
                int fd, uint64_t size, uint64_t metadata, const char *id, char **ret, char **ret_error) {
        _cleanup_free_ char *table = malloc(VHDX_TABLE), *item = NULL;

        if (!table)
                return -ENOMEM;
        int r = read_inside(fd, size, table, VHDX_TABLE, metadata, ret_error);
        if (r < 0)
                return r;
        uint16_t entries = read_le16(table + 10);
        if (memcmp(table, "metadata", 8) != 0 || entries > VHDX_ITEMS_MAX)
                return complain(ret_error, "its metadata cannot be read");
        for (uint16_t i = 0; i < entries; i++) {
                const char *e = table + 32 + (size_t) 32 * i;
                uint32_t length = read_le32(e + 20);

                if (memcmp(e, id, 16) != 0)
                        continue;
                if (length > VHDX_LOCATOR_MAX)
                        return complain(ret_error, "an item of its metadata is too long");
                item = malloc((size_t) length + 1);
                if (!item)
                        return -ENOMEM;
                r = read_inside(fd, size, item, length, metadata + read_le32(e + 16), ret_error);
                if (r < 0)
                        return r;
                *ret = TAKE_PTR(item);
                return (int) length;
        }
        return 0;
}

/* The value of a key of the parent locator as text, or NULL; the caller frees it. */
static char *locator_value(const char *locator, size_t size, const char *wanted) {
        uint16_t entries = read_le16(locator + 18);

        for (uint16_t i = 0; i < entries && (size_t) 20 + 12 * ((size_t) i + 1) <= size; i++) {
                const char *e = locator + 20 + (size_t) 12 * i;
                uint32_t key = read_le32(e), value = read_le32(e + 4);
                uint16_t key_size = read_le16(e + 8), value_size = read_le16(e + 10);

                if (key > size || key_size > size - key || value > size || value_size > size - value)
                        return NULL;
                _cleanup_free_ char *name = from_utf16(locator + key, key_size, "UTF-16LE");
                if (name && streq(name, wanted))
                        return from_utf16(locator + value, value_size, "UTF-16LE");
        }
        return NULL;
}

static int read_locator(const char *locator, size_t size, ImageNames *n, char **ret_error) {
        static const char *const keys[] = { "relative_path", "absolute_win32_path", "volume_path" };

        n->parent_id = locator_value(locator, size, "parent_linkage");
        if (!n->parent_id)
                return complain(ret_error,
                                "it is a differencing disk that does not say which its parent is");
        for (char *p = n->parent_id; *p; p++)
                if (*p >= 'A' && *p <= 'F')
                        *p = (char) (*p - 'A' + 'a');
        for (size_t k = 0; k < ELEMENTSOF(keys); k++) {
                _cleanup_free_ char *name = locator_value(locator, size, keys[k]);
                int r = isempty(name) ? 0 : strv_extend(&n->parents, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

int vhdx_names_read(int fd, uint64_t size, ImageNames *n, char **ret_error) {
        _cleanup_free_ char *parameters = NULL, *locator = NULL;
        uint64_t metadata;

        int r = read_data_guid(fd, size, n, ret_error);
        if (r >= 0)
                r = find_metadata(fd, size, &metadata, ret_error);
        if (r <= 0)
                return r;
        r = read_item(fd, size, metadata, GUID_FILE_PARAMETERS, &parameters, ret_error);
        if (r < 8)
                return r < 0 ? r : complain(ret_error, "its metadata have no file parameters");
        if (!(read_le32(parameters + 4) & VHDX_HAS_PARENT))
                return 0;
        n->has_parent = true;
        n->parent_format = FORMAT_VHDX;
        r = read_item(fd, size, metadata, GUID_PARENT_LOCATOR, &locator, ret_error);
        if (r < 20)
                return r < 0 ? r : complain(ret_error, "it is a differencing disk without a parent locator");
        return read_locator(locator, (size_t) r, n, ret_error);
}
