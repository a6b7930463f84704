/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/file-range.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/zero.h"

#define PIECE \
        ((size_t) 128 * 1024) /* what is looked at for zeroes at a time: fits into the processor's cache */
#define BLOCK ((size_t) 4096) /* what a hole is worth; also what file systems share at least */

int file_range_read(const FileRange *range, void *buf) {
        int r = pread_full(range->fd, buf, range->length, range->offset);

        /* Checksums that are wrong: for the engine, these are errors of images. */
        return r == -EBADMSG || r == -EUCLEAN ? -EIO : r;
}

void file_copier_done(FileCopier *c) {
        c->buffer = mfree(c->buffer);
}

/* Whole blocks only. How many bytes both files share now. */
static uint64_t try_clone(FileCopier *c, const FileRange *from, uint64_t to) {
        struct file_clone_range range = {
                .src_fd = from->fd,
                .src_offset = from->offset,
                .src_length = from->length - from->length % BLOCK,
                .dest_offset = to,
        };

        if (c->no_clone || range.src_length == 0 || from->offset % BLOCK != 0 || to % BLOCK != 0)
                return 0;
        if (ioctl(c->fd, FICLONERANGE, &range) >= 0)
                return range.src_length;
        c->no_clone = true;
        return 0;
}

/* What the kernel does not copy is written from @data, which tells a full disk from what does not work here.
 */
static int copy_run(FileCopier *c, const FileRange *from, const char *data, uint64_t to) {
        off_t in = (off_t) from->offset, out = (off_t) to;
        size_t left = from->length;

        while (left > 0 && !c->no_copy) {
                ssize_t n = copy_file_range(from->fd, &in, c->fd, &out, left, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        c->no_copy = true;
                else
                        left -= (size_t) n;
        }
        return left == 0 ? 0 : pwrite_full(c->fd, data + (from->length - left), left, (uint64_t) out);
}

static bool block_is_zero(const char *data, size_t at, size_t size) {
        return memory_is_zero(data + at, MIN(BLOCK, size - at));
}

/* @data is what is in @from. */
static int copy_piece(
                FileCopier *c, const FileRange *from, const char *data, uint64_t to, uint64_t *written) {
        size_t size = from->length, end;

        for (size_t at = 0; at < size; at = end) {
                bool zero = block_is_zero(data, at, size);
                end = at;
                do
                        end += MIN(BLOCK, size - end);
                while (end < size && block_is_zero(data, end, size) == zero);
                if (zero)
                        continue;
                const FileRange run = { .fd = from->fd, .offset = from->offset + at, .length = end - at };
                int r = copy_run(c, &run, data + at, to + at);
                if (r < 0)
                        return r;
                *written += end - at;
        }
        return 0;
}

int file_copier_copy(FileCopier *c, const FileRange *from, uint64_t to, uint64_t *ret_written,
                int *ret_source_error) {
        uint64_t n;

        if (!c->buffer)
                c->buffer = malloc(PIECE);
        if (!c->buffer)
                return -ENOMEM;
        *ret_written = 0;
        for (uint64_t at = try_clone(c, from, to); at < from->length; at += n) {
                n = MIN((uint64_t) PIECE, from->length - at);
                const FileRange piece = { .fd = from->fd, .offset = from->offset + at, .length = n };
                int r = file_range_read(&piece, c->buffer);
                if (r < 0) {
                        *ret_source_error = r;
                        return -EREMOTEIO;
                }
                r = copy_piece(c, &piece, c->buffer, to + at, ret_written);
                if (r < 0)
                        return r;
        }
        return 0;
}
