/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/archive-kind.h"
#include "image/image-writable.h"
#include "image/vmdk-header.h"

#define HEAD 512u
#define TAR_MAGIC_OFFSET 257u

/* Of a VHD, QEMU and Hyper-V compute different sizes. */
static const DiskFormat writable[] = { FORMAT_RAW, FORMAT_QCOW2, FORMAT_VMDK, FORMAT_VDI, FORMAT_VHDX };

bool image_format_is_writable(int format) {
        for (size_t i = 0; i < ELEMENTSOF(writable); i++)
                if ((int) writable[i] == format)
                        return true;
        return false;
}

static int refuse(char **ret_error, const char *what) {
        *ret_error = strprintf("it is %s, which cannot be changed in place", what);
        return *ret_error ? -EROFS : -ENOMEM;
}

static int check_vmdk(const char head[static HEAD], char **ret_error) {
        _cleanup_free_ char *why = NULL;
        VmdkHeader h = {};
        int r = vmdk_header_parse(head, &h, &why);

        /* Of what is malformed the job tells. */
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return h.compressed || h.markers ? refuse(ret_error, "a streamOptimized VMDK") : 0;
}

int image_check_writable(int fd, int format, char **ret_error) {
        char head[HEAD] = {};
        ssize_t n = pread(fd, head, sizeof(head), 0);

        if (n < 0)
                return -errno;
        if (format != FORMAT_PROBE && !image_format_is_writable(format)) {
                _cleanup_free_ char *what = strprintf("an image of the format %s",
                                strna(disk_format_to_string((DiskFormat) format)));
                return what ? refuse(ret_error, what) : -ENOMEM;
        }
        /* To a raw disk its first bytes are the guest's business. */
        if (format == FORMAT_RAW)
                return 0;
        if (memcmp(head, "KDMV", 4) == 0)
                return check_vmdk(head, ret_error);
        if (archive_kind(head, (size_t) n) != ARCHIVE_NONE)
                return refuse(ret_error, "an archive");
        if (memcmp(head + TAR_MAGIC_OFFSET, "ustar", 5) == 0)
                return refuse(ret_error, "an OVA");
        return 0;
}
