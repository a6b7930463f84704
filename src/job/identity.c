/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/sysmacros.h>

#include "basic/string-util.h"
#include "job/identity.h"

int identity_add_file(char ***lines, const char *path, const struct stat *st, const char *job_id) {
        /* A device's times say nothing about its content. */
        if (S_ISBLK(st->st_mode))
                return strv_extendf(lines, "%s device %u:%u %jd job %s", path, major(st->st_rdev),
                                minor(st->st_rdev), (intmax_t) st->st_size, job_id);
        return strv_extendf(lines, "%s %ju:%ju %jd %jd.%09ld %jd.%09ld", path, (uintmax_t) st->st_dev,
                        (uintmax_t) st->st_ino, (intmax_t) st->st_size, (intmax_t) st->st_mtim.tv_sec,
                        st->st_mtim.tv_nsec, (intmax_t) st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

char *identity_of_server(const char *uri, const char *job_id) {
        return strprintf("nbd %s job %s", uri, job_id);
}

char *identity_shortened(const char *identity, size_t max) {
        unsigned char digest[SHA256_DIGEST_LENGTH];
        char hex[2 * SHA256_DIGEST_LENGTH + 1];

        if (strlen(identity) <= max)
                return strdup(identity);
        if (EVP_Digest(identity, strlen(identity), digest, NULL, EVP_sha256(), NULL) != 1)
                return NULL;
        for (size_t i = 0; i < sizeof(digest); i++)
                snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        return strprintf("sha256:%s", hex);
}
