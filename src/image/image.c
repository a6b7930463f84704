/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <stdio.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "image/image.h"
#include "image/map.h"
#include "image/refusal.h"
#include "image/tar.h"
#include "image/vmdk-descriptor.h"
#include "json/json-table.h"

#define PROBE_SIZE 512u
#define SECTOR 512u

static void remove_written(char *const *paths) {
        for (size_t n = strv_length(paths); n > 0; n--)
                (void) remove(paths[n - 1]);
}

void image_done(Image *i) {
        if (i->parent) {
                image_done(i->parent);
                free(i->parent);
        }
        remove_written(i->written);
        strv_free(i->written);
        free(i->descriptor);
        free(i->overlay);
        vmdk_descriptor_done(&i->vmdk);
        for (size_t k = 0; k < i->n_expected; k++) {
                free(i->expected[k].filename);
                free(i->expected[k].format);
        }
        free(i->expected);
        free(i->label);
        free(i->path);
        strv_free(i->extents);
        strv_free(i->sparse);
        *i = (Image){};
}

/* --- probing --------------------------------------------------------------------------------------- */

/* Formats that are told by what is at one place. */
static const struct {
        size_t offset;
        const char *magic;
        size_t length;
        DiskFormat format; /* _FORMAT_INVALID: known, but not supported */
        const char *name;
} magics[] = {
        { 0, "QFI\xfb\0\0\0\1", 8, _FORMAT_INVALID, "qcow version 1" },
        { 0, "QFI\xfb", 4, FORMAT_QCOW2, NULL },
        { 0, "KDMV", 4, FORMAT_VMDK, NULL },
        { 0, "COWD", 4, FORMAT_VMDK, NULL },
        { 0, "conectix", 8, FORMAT_VHD, NULL },
        { 0, "vhdxfile", 8, FORMAT_VHDX, NULL },
        { 0x40, "\x7f\x10\xda\xbe", 4, FORMAT_VDI, NULL },
        { 0, "QED\0", 4, _FORMAT_INVALID, "QED" },
        { 0, "WithoutFreeSpace", 16, FORMAT_PARALLELS, NULL },
        { 0, "WithouFreSpacExt", 16, FORMAT_PARALLELS, NULL },
        { 0, "LUKS\xba\xbe", 6, _FORMAT_INVALID, "LUKS (encrypted)" },
};

static int probe_start(const char *data, size_t size, DiskFormat *ret, char **ret_error) {
        for (size_t k = 0; k < ELEMENTSOF(magics); k++) {
                if (magics[k].offset + magics[k].length > size ||
                                memcmp(data + magics[k].offset, magics[k].magic, magics[k].length) != 0)
                        continue;
                if (magics[k].format >= 0) {
                        *ret = magics[k].format;
                        return 0;
                }
                *ret_error = strprintf("it is a %s image, which is not supported. If it is a raw disk that "
                                       "only looks so, say that its format is raw.",
                                magics[k].name);
                return *ret_error ? -EOPNOTSUPP : -ENOMEM;
        }
        if (vmdk_is_descriptor(data, size))
                *ret = FORMAT_VMDK;
        else if (size == PROBE_SIZE && tar_is_header(data))
                *ret = FORMAT_OVA;
        else
                *ret = FORMAT_RAW;
        return 0;
}

bool image_head_is_known(const char *head, size_t size) {
        _cleanup_free_ char *why = NULL;
        DiskFormat format = FORMAT_RAW;

        return probe_start(head, MIN(size, (size_t) PROBE_SIZE), &format, &why) < 0 || format != FORMAT_RAW;
}

int image_probe(int fd, const Image *i, DiskFormat *ret, char **ret_error) {
        char data[PROBE_SIZE];
        DiskFormat format = FORMAT_RAW;
        size_t size = (size_t) MIN(i->length, (uint64_t) PROBE_SIZE);

        int r = pread_full(fd, data, size, i->offset);
        if (r >= 0)
                r = probe_start(data, size, &format, ret_error);
        if (r < 0)
                return r;
        /* A fixed VHD is a raw disk with a footer of 512 bytes behind it (511 from very old programs). */
        if (format == FORMAT_RAW && i->length > PROBE_SIZE) {
                r = pread_full(fd, data, PROBE_SIZE, i->offset + i->length - PROBE_SIZE);
                if (r < 0)
                        return r;
                if (memcmp(data, "conectix", 8) == 0 || memcmp(data + 1, "conectix", 8) == 0)
                        format = FORMAT_VHD;
        }
        *ret = format;
        return 0;
}

int image_settle_format(int fd, Image *i, char **ret_error) {
        DiskFormat found;

        i->format_given = i->format != FORMAT_PROBE;
        if (i->format == FORMAT_RAW)
                return 0;
        int r = image_probe(fd, i, &found, ret_error);
        if (r < 0)
                return r;
        if (i->format == FORMAT_PROBE)
                i->format = (int) found;
        if (i->format == (int) found)
                return 0;
        *ret_error = strprintf("it was said to be %s, but it looks like %s",
                        disk_format_to_string((DiskFormat) i->format), disk_format_to_string(found));
        return *ret_error ? -EMEDIUMTYPE : -ENOMEM;
}

/* --- its tables ------------------------------------------------------------------------------------ */

static int walk_extent(const char *path, int cancel_fd, char **ret_error) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *why = NULL;
        struct stat st;
        Map map;

        int r = open_regular(path, &fd, &st);
        if (r < 0)
                return r;
        MapFile file = { .fd = fd, .length = (uint64_t) st.st_size, .cancel_fd = cancel_fd };
        r = map_walk(FORMAT_VMDK, &file, &map, &why);
        return r == -EBADMSG ? refuse(ret_error, "%s: %s", path, strna(why)) : r;
}

int image_check_map(int fd, Image *i, int cancel_fd, char **ret_error) {
        MapFile file = { .fd = fd, .offset = i->offset, .length = i->length, .cancel_fd = cancel_fd };
        Map map;

        int r = map_walk((DiskFormat) i->format, &file, &map, ret_error);
        STRV_FOREACH(path, i->sparse)
                if (r >= 0)
                        r = walk_extent(*path, cancel_fd, ret_error);
        if (r < 0)
                return r;
        i->image_length = map.length;
        i->has_log = map.has_log;
        i->flat = map.flat;
        i->differencing = map.differencing;
        if (map.differencing && !i->flatten)
                return refuse(ret_error,
                                "it is a differencing disk on top of another one, which is not "
                                "opened: " CHAIN_REMEDY);
        i->expected_size = map.virtual_size;
        if (i->format == FORMAT_RAW)
                i->expected_size = (i->length + SECTOR - 1) / SECTOR * SECTOR;
        return 0;
}

/* --- how qemu opens it ----------------------------------------------------------------------------- */

/* Changes go to the overlay. */
static json_t *overlay_options(const char *path, json_t *file) {
        if (json_object_set_new(file, "read-only", json_true()) < 0) {
                json_decref(file);
                return NULL;
        }
        return json_pack("{s:s, s:{s:s, s:s}, s:o}", "driver", "qcow2", "file", "driver", "file", "filename",
                        path, "backing", file);
}

json_t *image_options(const Image *i) {
        const char *driver = disk_format_to_qemu((DiskFormat) i->format);
        json_t *file = json_pack("{s:s, s:s}", "driver", i->device ? "host_device" : "file", "filename",
                        i->descriptor ? i->descriptor : i->path);
        if (file && i->direct &&
                        json_object_set_new(file, "cache",
                                        json_pack("{s:b, s:b}", "direct", 1, "no-flush", 0)) < 0) {
                json_decref(file);
                return NULL;
        }

        uint64_t length = i->image_length > 0 ? i->image_length : i->length;
        if (file && !image_is_whole_file(i))
                file = json_pack("{s:s, s:I, s:I, s:o}", "driver", "raw", "offset", (json_int_t) i->offset,
                                "size", (json_int_t) length, "file", file);
        if (file && i->overlay)
                file = overlay_options(i->overlay, file);
        json_t *options = file ? json_pack("{s:s, s:o}", "driver", driver, "file", file) : NULL;
        /* What is below takes this over. */
        if (options && i->in_use &&
                        (json_object_set_new(options, "read-only", json_true()) < 0 ||
                                        json_object_set_new(options, "force-share", json_true()) < 0)) {
                json_decref(options);
                return NULL;
        }
        /* Only these two have such a thing; what they may say about one is refused before, this is for
         * the day when somebody gets around that. */
        if (options && (i->format == FORMAT_QCOW2 || i->format == FORMAT_VMDK) &&
                        json_object_set_new(options, "backing", json_null()) < 0) {
                json_decref(options);
                options = NULL;
        }
        /* A VHD's disk is as large as its footer says. qemu takes the geometry, which is smaller, for
         * programs that it does not know. */
        if (options && i->format == FORMAT_VHD &&
                        json_object_set_new(options, "force_size_calc", json_string("current_size")) < 0) {
                json_decref(options);
                options = NULL;
        }
        return options;
}

static json_t *chain_options(const Image *i) {
        json_t *options = image_options(i), *below;

        if (!options || !i->parent)
                return options;
        /* The driver of VMDK takes no other one below it. */
        below = i->format == FORMAT_VMDK ? chain_options(i->parent) : image_disk_options(i->parent);
        if (!below || json_object_set_new(options, "backing", below) < 0) {
                json_decref(options);
                return NULL;
        }
        return options;
}

json_t *image_disk_options(const Image *i) {
        json_t *options = chain_options(i);

        if (options && i->cut_size > 0)
                options = json_pack("{s:s, s:I, s:o}", "driver", "raw", "size", (json_int_t) i->cut_size,
                                "file", options);
        return options;
}

char *image_options_text(const Image *i) {
        _cleanup_json_ json_t *options = image_options(i);
        _cleanup_free_ char *json = options ? json_dumps(options, JSON_COMPACT) : NULL;

        return json ? strprintf("json:%s", json) : NULL;
}
