/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <nettle/sha2.h>

#include "basic/string-util.h"
#include "manager/job-user.h"
#include "spec/job-file.h"

#define PREFIX "hyper-"
#define DIGITS (JOB_USER_MAX - (sizeof(PREFIX) - 1))

static_assert(DIGITS * 5 <= SHA256_DIGEST_SIZE * 8, "the digest has as many bits as are taken of it");

char *job_user_name(const char *job_id) {
        static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
        uint8_t hash[SHA256_DIGEST_SIZE];
        struct sha256_ctx context;
        char name[JOB_USER_MAX + 1] = PREFIX;
        unsigned bits = 0, n_bits = 0;
        size_t next = 0;

        sha256_init(&context);
        sha256_update(&context, strlen(job_id), (const uint8_t *) job_id);
        sha256_digest(&context, sizeof(hash), hash);
        for (size_t i = 0; i < DIGITS; i++) {
                if (n_bits < 5) {
                        bits = bits << 8 | hash[next++];
                        n_bits += 8;
                }
                n_bits -= 5;
                name[sizeof(PREFIX) - 1 + i] = digits[bits >> n_bits & 31];
        }
        return strdup(name);
}
