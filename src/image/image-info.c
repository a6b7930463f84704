/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What "qemu-img info" reports: decoded, and compared with what is allowed. */

#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/image-info.h"
#include "image/image.h"
#include "image/refusal.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define EXTENTS_MAX 4096

void image_info_done(ImageInfo *i) {
        for (size_t k = 0; k < i->n_extents; k++) {
                free(i->extents[k].filename);
                free(i->extents[k].format);
        }
        free(i->extents);
        free(i->format);
        *i = (ImageInfo){};
}

/* A key that is missing leaves *ret alone; one of another type is -EBADMSG. */
static int get_uint64(json_t *object, const char *key, uint64_t *ret) {
        json_t *v = json_object_get(object, key);

        if (!v)
                return 0;
        if (!json_is_integer(v) || json_integer_value(v) < 0)
                return -EBADMSG;
        *ret = (uint64_t) json_integer_value(v);
        return 0;
}

static int get_bool(json_t *object, const char *key, bool *ret) {
        json_t *v = json_object_get(object, key);

        if (!v)
                return 0;
        if (!json_is_boolean(v))
                return -EBADMSG;
        *ret = json_is_true(v);
        return 0;
}

static int get_string(json_t *object, const char *key, char **ret) {
        json_t *v = json_object_get(object, key);

        if (!v)
                return 0;
        if (!json_is_string(v))
                return -EBADMSG;
        return free_and_strdup(ret, json_string_value(v));
}

static int read_extents(json_t *array, ImageInfo *i) {
        json_t *e;
        size_t k;
        int r = 0;

        if (!array)
                return 0;
        if (!json_is_array(array) || json_array_size(array) > EXTENTS_MAX)
                return -EBADMSG;
        i->extents = new0(ImageExtent, MAX(json_array_size(array), (size_t) 1));
        if (!i->extents)
                return -ENOMEM;
        json_array_foreach(array, k, e) {
                ImageExtent *x = &i->extents[i->n_extents++];
                r = json_is_object(e) ? get_string(e, "filename", &x->filename) : -EBADMSG;
                if (r >= 0)
                        r = get_string(e, "format", &x->format);
                if (r >= 0)
                        r = get_uint64(e, "virtual-size", &x->virtual_size);
                if (r < 0)
                        return r;
                if (!x->filename || !x->format)
                        return -EBADMSG;
        }
        return 0;
}

static int read_specific(json_t *specific, ImageInfo *i) {
        json_t *data = json_object_get(specific, "data");

        if (specific && !json_is_object(specific))
                return -EBADMSG;
        if (!data)
                return 0;
        if (!json_is_object(data))
                return -EBADMSG;
        i->has_data_file = json_object_get(data, "data-file") != NULL;
        i->encrypted = i->encrypted || json_object_get(data, "encrypt") != NULL;
        int r = get_bool(data, "corrupt", &i->corrupt);
        return r < 0 ? r : read_extents(json_object_get(data, "extents"), i);
}

static int read_info(json_t *o, ImageInfo *i) {
        json_t *snapshots = json_object_get(o, "snapshots");

        int r = get_string(o, "format", &i->format);
        if (r >= 0)
                r = get_uint64(o, "virtual-size", &i->virtual_size);
        if (r >= 0)
                r = get_uint64(o, "actual-size", &i->actual_size);
        if (r >= 0)
                r = get_bool(o, "encrypted", &i->encrypted);
        if (r >= 0)
                r = get_bool(o, "dirty-flag", &i->dirty);
        if (r < 0)
                return r;
        i->has_backing = json_object_get(o, "backing-filename") ||
                        json_object_get(o, "full-backing-filename");
        i->n_snapshots = json_array_size(snapshots);
        if (!i->format || !json_is_integer(json_object_get(o, "virtual-size")))
                return -EBADMSG;
        return read_specific(json_object_get(o, "format-specific"), i);
}

int image_info_from_json(const char *text, size_t size, ImageInfo *ret) {
        _cleanup_image_info_ ImageInfo i = {};
        _cleanup_json_ json_t *o = NULL;
        _cleanup_free_ char *why = NULL;

        int r = json_parse_object(text, size, &o, &why);
        if (r >= 0)
                r = read_info(o, &i);
        if (r < 0)
                return r;
        *ret = i;
        i = (ImageInfo){};
        return 0;
}

/* An extent without a type is the image itself. */
static int check_single_extent(const Image *i, const ImageExtent *e, char **ret_error) {
        bool same = image_is_whole_file(i) ? streq(e->filename, i->path)
                                           : startswith(e->filename, "json:") != NULL;

        return isempty(e->format) && same ? 0
                                          : refuse(ret_error, "it would make qemu open \"%s\"", e->filename);
}

/* The extents that qemu reads are those that we wrote down, in that order. */
static int check_extents(const Image *i, const ImageInfo *info, char **ret_error) {
        if (i->n_expected == 0) {
                if (info->n_extents > 1)
                        return refuse(ret_error, "it would make qemu open \"%s\"",
                                        info->extents[1].filename);
                return info->n_extents == 0 ? 0 : check_single_extent(i, &info->extents[0], ret_error);
        }
        if (info->n_extents != i->n_expected)
                return refuse(ret_error, "it has %zu extents, but qemu reads %zu", i->n_expected,
                                info->n_extents);
        for (size_t k = 0; k < i->n_expected; k++) {
                const ImageExtent *a = &i->expected[k], *b = &info->extents[k];
                if (!streq(a->filename, b->filename) || !streq(a->format, b->format) ||
                                a->virtual_size != b->virtual_size)
                        return refuse(ret_error,
                                        "extent %zu is %s of type %s with %" PRIu64
                                        " bytes, but qemu reads %s of type %s with %" PRIu64,
                                        k + 1, a->filename, a->format, a->virtual_size, b->filename,
                                        b->format, b->virtual_size);
        }
        return 0;
}

int image_info_check(const Image *i, const ImageInfo *info, char **ret_error) {
        char size[BYTES_SIZE], max[BYTES_SIZE];

        if (!streq(info->format, disk_format_to_qemu((DiskFormat) i->format)))
                return refuse(ret_error, "qemu opens it as %s instead of %s", info->format,
                                disk_format_to_qemu((DiskFormat) i->format));
        if (info->has_backing && !i->flatten)
                return refuse(ret_error, "it has a backing file, which will not be opened");
        if (info->has_data_file)
                return refuse(ret_error, "it has an external data file, which will not be opened");
        if (info->encrypted)
                return refuse(ret_error, "it is encrypted: decrypt it first (qemu-img convert)");
        if (info->corrupt)
                return refuse(ret_error, "it is marked as corrupt: repair it first (qemu-img check -r all)");
        if (info->virtual_size > IMAGE_SIZE_MAX)
                return refuse(ret_error, "it claims a disk of %s, more than %s are not supported",
                                format_bytes(size, info->virtual_size), format_bytes(max, IMAGE_SIZE_MAX));
        if (i->expected_size > 0 && info->virtual_size != i->expected_size)
                return refuse(ret_error,
                                "its header gives a disk of %" PRIu64 " bytes, but qemu reads %" PRIu64,
                                i->expected_size, info->virtual_size);
        if (info->virtual_size == 0)
                return refuse(ret_error, "the disk in it is empty (0 bytes)");
        return check_extents(i, info, ret_error);
}
