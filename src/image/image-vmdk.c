/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a VMDK is made of: read here, checked against its files, and written again for qemu, which reads
 * descriptors in other ways than VMware's programs: it doubles extents behind a blank line, and leaves out
 * those that are read-only, or zero, or written in lower case. */

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "image/image-vmdk.h"
#include "image/refusal.h"
#include "image/vmdk-embedded.h"

#define HEADER_SIZE 512u
/* qemu reads a name of up to 511 bytes. */
#define QEMU_NAME_MAX 511u
/* Zeroes for qemu are holes in a file; so long that every file system takes it. */
#define ZEROES_SECTORS ((UINT64_C(1) << 40) / VMDK_SECTOR)

/* --- parents --------------------------------------------------------------------------------------- */

static int check_parent(const Image *i, const VmdkDescriptor *d, char **ret_error) {
        if (i->flatten || !vmdk_descriptor_has_parent(d))
                return 0;
        return refuse(ret_error,
                        "it is a snapshot on top of another disk, which is not opened: " CHAIN_REMEDY);
}

/* --- one file with a descriptor inside ------------------------------------------------------------- */

#define FLAG_COMPRESSED (UINT32_C(1) << 16)

/* @alone: it is not an extent of a descriptor's. Without a capacity qemu takes the descriptor inside as if
 * it were a file of its own, and opens what that names. */
static int check_sparse_header(const Image *i, int fd, const char *header, uint64_t offset, uint64_t length,
                bool alone, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        uint64_t capacity = read_le64(header + 12);

        if (capacity == 0)
                return refuse(ret_error, "its header claims a capacity of 0");
        int r = vmdk_embedded_read(fd, header, offset, length, &d, ret_error);
        if (r < 0)
                return r;
        if (r == 0)
                return !alone || (read_le32(header + 8) & FLAG_COMPRESSED)
                                ? 0
                                : refuse(ret_error,
                                                  "it is one extent of a disk in several files: use the "
                                                  "descriptor that names all of them as the source");
        r = check_parent(i, &d, ret_error);
        return r < 0 || !alone ? r : vmdk_embedded_check(&d, capacity, ret_error);
}

/* --- extents --------------------------------------------------------------------------------------- */

/* The size in sectors that a sparse file's own header gives, and that of a grain. */
static int sparse_capacity(const Image *i, int fd, uint64_t length, const VmdkExtent *x, uint64_t *ret,
                uint64_t *ret_grain, char **ret_error) {
        char header[HEADER_SIZE] = {};

        int r = pread_full(fd, header, (size_t) MIN(length, (uint64_t) sizeof(header)), 0);
        if (r < 0)
                return r;
        if (x->kind == VMDK_EXTENT_SE_SPARSE) {
                if (read_le64(header) != UINT64_C(0xcafebabe))
                        return refuse(ret_error, "it is not the SESPARSE extent that it was said to be");
                *ret = read_le64(header + 16);
                *ret_grain = read_le64(header + 24);
                return 0;
        }
        if (memcmp(header, "KDMV", 4) == 0) {
                *ret = read_le64(header + 12);
                *ret_grain = read_le64(header + 20);
                return check_sparse_header(i, fd, header, 0, length, false, ret_error);
        }
        if (memcmp(header, "COWD", 4) != 0)
                return refuse(ret_error, "it is not the sparse extent that it was said to be");
        *ret = read_le32(header + 12);
        *ret_grain = read_le32(header + 16);
        return 0;
}

/* A sparse file may be rounded up to whole grains. At the end of the disk what is too much can be cut
 * off. */
static int check_capacity(Image *i, VmdkExtent *x, uint64_t capacity, uint64_t grain, char **ret_error) {
        const uint64_t grain_max = 2048;
        bool last = x == &i->vmdk.extents[i->vmdk.n_extents - 1];

        if (capacity == x->sectors) {
                if (last || (grain > 0 && x->sectors % grain == 0))
                        return 0;
                /* qemu reads the rest of the last grain where the next extent begins. */
                return refuse(ret_error,
                                "it has %" PRIu64
                                " sectors, which is no whole number of grains, and another extent "
                                "follows: make one file of the disk first (vmware-vdiskmanager -r)",
                                x->sectors);
        }
        if (!last || capacity < x->sectors || capacity - x->sectors >= grain_max)
                return refuse(ret_error,
                                "its header gives it %" PRIu64 " sectors, but the descriptor %" PRIu64,
                                capacity, x->sectors);
        i->cut_size = i->vmdk.sectors * VMDK_SECTOR;
        x->sectors = capacity;
        return 0;
}

static int check_flat(const VmdkExtent *x, uint64_t length, char **ret_error) {
        uint64_t end = (x->offset + x->sectors) * VMDK_SECTOR; /* both are limited by the parser */

        if (end > length)
                return refuse(ret_error, "it is cut off: it has %" PRIu64 " bytes, %" PRIu64 " are missing",
                                length, end - length);
        return 0;
}

static int open_extent(const char *name, const char *path, char *const *visible, int *ret_fd,
                struct stat *ret_stat, char **ret_error) {
        int r = open_regular(path, ret_fd, ret_stat);

        if (r == -ENOENT) {
                *ret_error = strprintf("%s, which it is made of, is not there", path);
                return *ret_error ? -ENOENT : -ENOMEM;
        }
        if (r == -ELOOP || r == -EISDIR || r == -ENOTBLK)
                return refuse(ret_error, "it names \"%s\", which is no plain file", name);
        if (r < 0)
                return r;
        if (!strv_contains(visible, path))
                return refuse(ret_error, "it names \"%s\", which was not part of it when the job began",
                                name);
        return 0;
}

static int check_extent(Image *i, VmdkExtent *x, char *const *visible, char **ret_error) {
        _cleanup_free_ char *path = NULL, *why = NULL;
        _cleanup_close_ int fd = -EBADF;
        uint64_t sectors = x->sectors, grain = 0;
        struct stat st;

        if (x->kind == VMDK_EXTENT_ZERO)
                return 0;
        if (!vmdk_extent_name_is_plain(x->name))
                return refuse(ret_error, "it names \"%s\", which is no plain file beside it", x->name);
        path = strprintf("%.*s/%s", (int) (strrchr(i->path, '/') - i->path), i->path, x->name);
        if (!path)
                return -ENOMEM;
        int r = open_extent(x->name, path, visible, &fd, &st, ret_error);
        if (r < 0)
                return r;
        bool flat = x->kind == VMDK_EXTENT_FLAT;
        if (flat)
                r = check_flat(x, (uint64_t) st.st_size, &why);
        else {
                r = sparse_capacity(i, fd, (uint64_t) st.st_size, x, &sectors, &grain, &why);
                if (r >= 0)
                        r = check_capacity(i, x, sectors, grain, &why);
        }
        if (r == -EBADMSG)
                return refuse(ret_error, "%s: %s", x->name, strna(why));
        if (r >= 0 && !flat && !strv_contains(i->sparse, path))
                r = strv_extend(&i->sparse, path);
        return r < 0 || strv_contains(i->extents, path) ? r : strv_consume(&i->extents, TAKE_PTR(path));
}

static int check_descriptor_file(int fd, Image *i, char *const *visible, char **ret_error) {
        _cleanup_free_ char *text = NULL, *why = NULL;

        if (!i->whole)
                return refuse(ret_error, "it is in several files, which is not supported inside an OVA");
        if (i->length > VMDK_DESCRIPTOR_MAX)
                return refuse(ret_error, "its descriptor is longer than %zu bytes", VMDK_DESCRIPTOR_MAX);
        text = malloc(i->length);
        if (!text)
                return -ENOMEM;
        int r = pread_full(fd, text, i->length, 0);
        if (r < 0)
                return r;
        r = vmdk_descriptor_parse(text, i->length, &i->vmdk, &why);
        if (r == -EBADMSG)
                return refuse(ret_error, "its descriptor: %s", strna(why));
        if (r >= 0)
                r = check_parent(i, &i->vmdk, ret_error);
        if (r < 0)
                return r;
        if (i->vmdk.n_extents == 0)
                return refuse(ret_error, "its descriptor names no extent");
        for (size_t k = 0; k < i->vmdk.n_extents; k++) {
                r = check_extent(i, &i->vmdk.extents[k], visible, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int image_check_vmdk(int fd, Image *i, const char *header, char *const *visible, char **ret_error) {
        if (vmdk_is_descriptor(header, MIN(i->length, (uint64_t) HEADER_SIZE)))
                return check_descriptor_file(fd, i, visible, ret_error);
        if (memcmp(header, "COWD", 4) == 0)
                return refuse(ret_error,
                                "it is the data file of a snapshot or one extent of a disk (COWD): use the "
                                "descriptor that names it as the source");
        if (memcmp(header, "KDMV", 4) != 0)
                return 0;
        return check_sparse_header(i, fd, header, i->offset, i->length, true, ret_error);
}

/* --- the descriptor for qemu ----------------------------------------------------------------------- */

static int expect(Image *i, const char *path, const char *type, uint64_t sectors) {
        ImageExtent x = {
                .filename = strdup(path), .format = strdup(type), .virtual_size = sectors * VMDK_SECTOR
        };

        if (!x.filename || !x.format || !GREEDY_REALLOC(i->expected, i->allocated, i->n_expected + 1)) {
                free(x.filename);
                free(x.format);
                return -ENOMEM;
        }
        i->expected[i->n_expected++] = x;
        i->expected_size += x.virtual_size;
        return 0;
}

static const char *qemu_type(const VmdkExtent *x) {
        return x->kind == VMDK_EXTENT_SE_SPARSE              ? "SESPARSE"
                        : x->kind == VMDK_EXTENT_VMFS_SPARSE ? "VMFSSPARSE"
                        : x->kind == VMDK_EXTENT_SPARSE      ? "SPARSE"
                                                             : "FLAT";
}

/* A name that qemu reads as it is: the path, or a link to it if the path is too long or has quotes. */
static char *name_for_qemu(Image *i, size_t k, const char *directory, const char *path) {
        if (strlen(path) <= QEMU_NAME_MAX && !strchr(path, '"'))
                return strdup(path);
        char *link = strprintf("%s/%zu", directory, k);
        if (!link || symlink(path, link) < 0 || strv_extend(&i->written, link) < 0)
                return mfree(link);
        return link;
}

static int write_zeroes(Image *i, FILE *f, const char *zeroes, uint64_t sectors) {
        int r = 0;

        for (uint64_t n; sectors > 0 && r >= 0; sectors -= n) {
                n = MIN(sectors, ZEROES_SECTORS);
                fprintf(f, "RW %" PRIu64 " FLAT \"%s\" 0\n", n, zeroes);
                r = expect(i, zeroes, "FLAT", n);
        }
        return r;
}

static int write_extent(Image *i, FILE *f, size_t k, const char *directory, const char *zeroes) {
        const VmdkExtent *x = &i->vmdk.extents[k];
        _cleanup_free_ char *path = NULL, *name = NULL;

        if (x->kind == VMDK_EXTENT_ZERO)
                return write_zeroes(i, f, zeroes, x->sectors);
        path = strprintf("%.*s/%s", (int) (strrchr(i->path, '/') - i->path), i->path, x->name);
        name = path ? name_for_qemu(i, k, directory, path) : NULL;
        if (!name)
                return -ENOMEM;
        fprintf(f, "RW %" PRIu64 " %s \"%s\"", x->sectors, qemu_type(x), name);
        if (x->kind == VMDK_EXTENT_FLAT)
                fprintf(f, " %" PRIu64, x->offset);
        fputc('\n', f);
        return expect(i, name, qemu_type(x), x->sectors);
}

static int write_text(Image *i, FILE *f, const char *directory, const char *zeroes) {
        fprintf(f,
                        "# Disk DescriptorFile\nversion=1\nCID=%08" PRIx32 "\nparentCID=%08" PRIx32
                        "\ncreateType=\"twoGbMaxExtentSparse\"\n",
                        i->vmdk.cid, i->vmdk.parent_cid);
        for (size_t k = 0; k < i->vmdk.n_extents; k++) {
                int r = write_extent(i, f, k, directory, zeroes);
                if (r < 0)
                        return r;
        }
        return fflush(f) == EOF ? -errno : 0;
}

/* A file of zeroes, as long as the longest line that names it. */
static int make_zeroes(Image *i, const char *path) {
        uint64_t longest = 0;

        for (size_t k = 0; k < i->vmdk.n_extents; k++)
                if (i->vmdk.extents[k].kind == VMDK_EXTENT_ZERO)
                        longest = MAX(longest, MIN(i->vmdk.extents[k].sectors, ZEROES_SECTORS));
        if (longest == 0)
                return 0;
        int r = strv_extend(&i->written, path);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, (off_t) (longest * VMDK_SECTOR)) < 0)
                return -errno;
        return 0;
}

int image_write_descriptor(Image *i, const char *directory) {
        _cleanup_free_ char *own = NULL, *path = NULL, *zeroes = NULL;
        _cleanup_fclose_ FILE *f = NULL;

        if (i->vmdk.n_extents == 0)
                return 0;
        own = strprintf("%s/vmdk.XXXXXX", directory);
        if (!own || !mkdtemp(own))
                return own ? -errno : -ENOMEM;
        int r = strv_extend(&i->written, own);
        path = strprintf("%s/descriptor", own);
        zeroes = strprintf("%s/zeroes", own);
        if (r < 0 || !path || !zeroes)
                return -ENOMEM;
        r = make_zeroes(i, zeroes);
        if (r >= 0)
                r = strv_extend(&i->written, path);
        if (r < 0)
                return r;
        f = fopen(path, "wxe");
        if (!f)
                return -errno;
        i->expected_size = 0;
        r = write_text(i, f, own, zeroes);
        if (r >= 0)
                i->descriptor = TAKE_PTR(path);
        return r;
}
