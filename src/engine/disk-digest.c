/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/disk-digest.h"

#include <endian.h>
#include <openssl/evp.h>

#include "basic/zero.h"
#include "engine/extent-cursor.h"

struct DiskDigest {
        EVP_MD_CTX *context;
};

int disk_digest_new(DiskDigest **ret) {
        _cleanup_disk_digest_ DiskDigest *d = new0(DiskDigest, 1);

        if (!d)
                return -ENOMEM;
        d->context = EVP_MD_CTX_new();
        if (!d->context || EVP_DigestInit_ex(d->context, EVP_sha256(), NULL) != 1)
                return -ENOMEM;
        *ret = TAKE_PTR(d);
        return 0;
}

DiskDigest *disk_digest_free(DiskDigest *d) {
        if (!d)
                return NULL;
        EVP_MD_CTX_free(d->context);
        free(d);
        return NULL;
}

static int add_block(DiskDigest *d, const char *data, size_t size, uint64_t offset) {
        uint64_t place = htole64(offset);

        if (memory_is_zero(data, size))
                return 0;
        return EVP_DigestUpdate(d->context, &place, sizeof(place)) == 1 &&
                                        EVP_DigestUpdate(d->context, data, size) == 1
                        ? 0
                        : -ENOMEM;
}

int disk_digest_add(DiskDigest *d, const void *data, size_t size, uint64_t offset) {
        int r = offset % EXTENT_BLOCK == 0 ? 0 : -EINVAL;

        for (size_t at = 0, n; at < size && r >= 0; at += n) {
                n = MIN(size - at, (size_t) EXTENT_BLOCK);
                r = add_block(d, (const char *) data + at, n, offset + at);
        }
        return r;
}

int disk_digest_get(const DiskDigest *d, uint8_t ret[static DISK_DIGEST_SIZE]) {
        EVP_MD_CTX *copy = EVP_MD_CTX_new();
        bool good = copy && EVP_MD_CTX_copy_ex(copy, d->context) == 1 &&
                        EVP_DigestFinal_ex(copy, ret, NULL) == 1;

        EVP_MD_CTX_free(copy);
        return good ? 0 : -ENOMEM;
}

/* --- as a destination ------------------------------------------------------------------------------ */

typedef struct Digester {
        Endpoint endpoint;
        DiskDigest *digest;
} Digester;

static int digester_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata) {
        int r = disk_digest_add(CONTAINER_OF(e, Digester, endpoint)->digest, buf, length, offset);

        if (r >= 0)
                e->bytes_written += length;
        done(userdata, r);
        return 0;
}

static void digester_free(Endpoint *e) {
        free(CONTAINER_OF(e, Digester, endpoint));
}

static const EndpointOps digester_ops = {
        .name = "digest",
        .free = digester_free,
        .write = digester_write,
};

int endpoint_digest_new(DiskDigest *digest, uint64_t size, Endpoint **ret) {
        Digester *d = new0(Digester, 1);

        if (!d)
                return -ENOMEM;
        d->endpoint = (Endpoint){ .ops = &digester_ops, .size = size, .label = strdup("digest") };
        d->digest = digest;
        if (!d->endpoint.label) {
                free(d);
                return -ENOMEM;
        }
        *ret = &d->endpoint;
        return 0;
}
