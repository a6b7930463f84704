/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "basic/string-util.h"
#include "spec/disk-format.h"

#define BOTH (FORMAT_IS_SOURCE | FORMAT_IS_DESTINATION)

static const DiskFormatRow formats[_FORMAT_MAX] = {
        [FORMAT_PROBE] = { "probe", NULL, "", 0, FORMAT_PROBE },
        [FORMAT_RAW] = { "raw", "raw", "raw img", BOTH, FORMAT_RAW },
        [FORMAT_QCOW2] = { "qcow2", "qcow2", "qcow2", BOTH | FORMAT_CAN_COMPRESS, FORMAT_QCOW2 },
        [FORMAT_VMDK] = { "vmdk", "vmdk", "vmdk", BOTH, FORMAT_VMDK },
        [FORMAT_VDI] = { "vdi", "vdi", "vdi", FORMAT_IS_SOURCE, FORMAT_VDI },
        [FORMAT_VHD] = { "vhd", "vpc", "vhd vpc", FORMAT_IS_SOURCE, FORMAT_VHD },
        [FORMAT_VHDX] = { "vhdx", "vhdx", "vhdx", FORMAT_IS_SOURCE, FORMAT_VHDX },
        [FORMAT_PARALLELS] = { "parallels", "parallels", "parallels", FORMAT_IS_SOURCE, FORMAT_PARALLELS },
        [FORMAT_OVA] = { "ova", NULL, "ova", BOTH | FORMAT_IS_PACKAGE | FORMAT_IS_COMPRESSED, FORMAT_VMDK },
        [FORMAT_OVF] = { "ovf", NULL, "ovf", BOTH | FORMAT_IS_PACKAGE | FORMAT_IS_COMPRESSED, FORMAT_VMDK },
};

const DiskFormatRow *disk_format(int format) {
        return format >= 0 && format < _FORMAT_MAX ? &formats[format] : NULL;
}

bool disk_format_has(int format, unsigned flags) {
        const DiskFormatRow *f = disk_format(format);

        return f && (f->flags & flags) == flags;
}

const char *disk_format_to_string(DiskFormat f) {
        const DiskFormatRow *row = disk_format((int) f);

        return row ? row->name : NULL;
}

const char *disk_format_to_qemu(DiskFormat f) {
        const DiskFormatRow *row = disk_format((int) f);

        return row ? row->qemu : NULL;
}

DiskFormat disk_format_from_string(const char *s) {
        for (int i = 0; s && i < _FORMAT_MAX; i++)
                if (strcasecmp(formats[i].name, s) == 0 ||
                                (formats[i].qemu && strcasecmp(formats[i].qemu, s) == 0))
                        return i;
        return _FORMAT_INVALID;
}

static bool has_word(const char *words, const char *s) {
        size_t length = strlen(s);

        for (const char *p = words; *p;) {
                size_t n = strcspn(p, " ");
                if (n == length && strncasecmp(p, s, n) == 0)
                        return true;
                p += n + (p[n] == ' ');
        }
        return false;
}

DiskFormat disk_format_from_name(const char *path) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');

        for (int i = 0; dot && dot != name && i < _FORMAT_MAX; i++)
                if (has_word(formats[i].extensions, dot + 1))
                        return i;
        return FORMAT_PROBE;
}
