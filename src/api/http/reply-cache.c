/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <uthash.h>

#include "api/http/reply-cache.h"
#include "basic/string-util.h"

typedef struct Reply {
        UT_hash_handle hh;
        char *key; /* "dialect path" */
        char *text;
        size_t size;
} Reply;

struct ReplyCache {
        Reply *replies;
        size_t size;
        int64_t version;
        bool has_version; /* else nothing can be kept: it is not known what for */
        char *key; /* of the last question, so that putting the answer away need not make it again */
        size_t key_allocated;
};

ReplyCache *reply_cache_new(void) {
        return new0(ReplyCache, 1);
}

static void reply_free(Reply *r) {
        free(r->key);
        free(r->text);
        free(r);
}

static void forget(ReplyCache *c) {
        Reply *r, *next;

        HASH_ITER(hh, c->replies, r, next) {
                HASH_DEL(c->replies, r);
                reply_free(r);
        }
        c->size = 0;
}

void reply_cache_flush(ReplyCache *c) {
        forget(c);
        c->has_version = false;
}

ReplyCache *reply_cache_free(ReplyCache *c) {
        if (!c)
                return NULL;
        forget(c);
        free(c->key);
        return mfree(c);
}

/* Into c->key. A blank cannot stand in a dialect's name. */
static int set_key(ReplyCache *c, const char *dialect, const char *path, size_t *ret_size) {
        size_t n = strlen(dialect), m = strlen(path), need = n + 1 + m + 1;

        if (need > c->key_allocated) {
                char *p = realloc(c->key, need);

                if (!p)
                        return -ENOMEM;
                c->key = p;
                c->key_allocated = need;
        }
        memcpy(c->key, dialect, n);
        c->key[n] = ' ';
        memcpy(c->key + n + 1, path, m + 1);
        *ret_size = need - 1;
        return 0;
}

const char *reply_cache_get(
                ReplyCache *c, int64_t version, const char *dialect, const char *path, size_t *ret_size) {
        Reply *r = NULL;
        size_t n;

        if (!c->has_version || version != c->version) {
                forget(c);
                c->version = version;
                c->has_version = true;
                return NULL;
        }
        if (set_key(c, dialect, path, &n) < 0)
                return NULL;
        HASH_FIND(hh, c->replies, c->key, n, r);
        if (!r)
                return NULL;
        *ret_size = r->size;
        return r->text;
}

int reply_cache_put(ReplyCache *c, const char *dialect, const char *path, const char *text, size_t size) {
        size_t n, need;
        Reply *r, *old;
        int k;

        if (!c->has_version)
                return -ESTALE;
        k = set_key(c, dialect, path, &n);
        if (k < 0)
                return k;
        need = sizeof(Reply) + n + size;
        if (need > REPLY_CACHE_SIZE_MAX / 8)
                return -EFBIG;
        if (c->size + need > REPLY_CACHE_SIZE_MAX)
                forget(c);

        r = new0(Reply, 1);
        if (!r)
                return -ENOMEM;
        r->key = strndup(c->key, n);
        r->text = malloc(MAX(size, 1u));
        if (!r->key || !r->text) {
                reply_free(r);
                return -ENOMEM;
        }
        memcpy(r->text, text, size);
        r->size = size;
        HASH_FIND(hh, c->replies, r->key, n, old);
        if (old) {
                c->size -= sizeof(Reply) + n + old->size;
                HASH_DEL(c->replies, old);
                reply_free(old);
        }
        HASH_ADD_KEYPTR(hh, c->replies, r->key, n, r);
        c->size += need;
        return 0;
}
