/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>

#include "basic/fd-util.h"
#include "image/checksum.h"

#define BUFFER ((size_t) 1024 * 1024)

static void md_ctx_freep(EVP_MD_CTX **c) {
        EVP_MD_CTX_free(*c);
}

static void md_freep(EVP_MD **m) {
        EVP_MD_free(*m);
}

static bool is_readable(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        return fd >= 0 && poll(&p, 1, 0) > 0;
}

static void to_hex(const unsigned char *bytes, size_t n, char *ret) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                *ret++ = digits[bytes[i] >> 4];
                *ret++ = digits[bytes[i] & 15];
        }
        *ret = 0;
}

int checksum_content(const Content *content, const char *algorithm, int cancel_fd,
                checksum_progress_func progress, void *userdata, char ret[static CHECKSUM_HEX_MAX]) {
        _cleanup_(md_freep) EVP_MD *md = EVP_MD_fetch(NULL, algorithm, NULL);
        _cleanup_(md_ctx_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
        _cleanup_free_ void *buf = malloc(BUFFER);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned length;

        if (!md)
                return -EOPNOTSUPP;
        if (!context || !buf)
                return -ENOMEM;
        if (EVP_DigestInit_ex2(context, md, NULL) != 1)
                return -EOPNOTSUPP;
        for (size_t i = 0; i < content->n_pieces; i++)
                (void) posix_fadvise(content->pieces[i].fd, (off_t) content->pieces[i].offset,
                                (off_t) content->pieces[i].length, POSIX_FADV_SEQUENTIAL);
        for (uint64_t done = 0; done < content->size;) {
                size_t n = (size_t) MIN(content->size - done, (uint64_t) BUFFER);

                if (is_readable(cancel_fd))
                        return -ECANCELED;
                int r = content_pread(content, buf, n, done);
                if (r < 0)
                        return r;
                if (EVP_DigestUpdate(context, buf, n) != 1)
                        return -EIO;
                done += n;
                r = progress ? progress(userdata, done) : 0;
                if (r < 0)
                        return r;
        }
        if (EVP_DigestFinal_ex(context, digest, &length) != 1 || length * 2 >= CHECKSUM_HEX_MAX)
                return -EIO;
        to_hex(digest, length, ret);
        return 0;
}

int checksum_file(int fd, uint64_t offset, uint64_t size, const char *algorithm, int cancel_fd,
                checksum_progress_func progress, void *userdata, char ret[static CHECKSUM_HEX_MAX]) {
        _cleanup_content_ Content content = {};
        int r = content_add(&content, fd, 0, offset, size);

        return r < 0 ? r : checksum_content(&content, algorithm, cancel_fd, progress, userdata, ret);
}
