/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/random.h>

#include "api/http/rate-limit.h"
#include "shared/api-key.h"

/* A client has its bucket in one of so many places. */
#define WAYS 4

typedef struct Bucket {
        uint64_t client; /* a hash; 0: nobody's */
        usec_t full_at; /* monotonic */
} Bucket;

struct RateTable {
        uint8_t salt[16]; /* so that nobody can choose names that meet in one place */
        size_t n_rows;
        Bucket buckets[][WAYS];
};

int rate_table_new(size_t n, RateTable **ret) {
        size_t n_rows = (n + WAYS - 1) / WAYS;
        RateTable *t = calloc(1, sizeof(*t) + n_rows * sizeof(t->buckets[0]));

        if (!t)
                return -ENOMEM;
        if (getrandom(t->salt, sizeof(t->salt), 0) != sizeof(t->salt)) {
                int r = errno > 0 ? -errno : -EIO;

                free(t);
                return r;
        }
        t->n_rows = n_rows;
        *ret = t;
        return 0;
}

RateTable *rate_table_free(RateTable *t) {
        free(t);
        return NULL;
}

static uint64_t client_of(const RateTable *t, const void *name, size_t size) {
        uint8_t text[sizeof(t->salt) + 128];
        ApiKeyHash hash;
        uint64_t client;

        assert(size <= sizeof(text) - sizeof(t->salt));
        memcpy(text, t->salt, sizeof(t->salt));
        memcpy(text + sizeof(t->salt), name, size);
        api_key_hash(text, sizeof(t->salt) + size, &hash);
        memcpy(&client, hash.bytes, sizeof(client));
        return client > 0 ? client : 1;
}

/* The client's bucket, or the one that it may have: the fullest of those that it could be. */
static Bucket *find(RateTable *t, uint64_t client, bool *ret_found) {
        Bucket *row = t->buckets[client % t->n_rows], *fullest = row;

        for (Bucket *b = row; b < row + WAYS; b++) {
                if (b->client == client) {
                        *ret_found = true;
                        return b;
                }
                if (b->full_at < fullest->full_at)
                        fullest = b;
        }
        *ret_found = false;
        return fullest;
}

/* Between two tokens that come back. */
static usec_t interval_of(const RateLimit *limit) {
        if (limit->interval > 0)
                return limit->interval;
        return MAX(USEC_PER_MINUTE / MAX(limit->per_minute, 1u), (usec_t) 1);
}

static RateVerdict try(
                RateTable *t, const void *name, size_t size, const RateLimit *limit, usec_t now, bool take) {
        usec_t interval = interval_of(limit);
        usec_t whole = interval * limit->burst, missing;
        uint64_t client = client_of(t, name, size);
        bool found;
        Bucket *b = find(t, client, &found);
        RateVerdict v = { .allowed = true, .limit = limit->burst, .remaining = limit->burst };

        if (limit->per_minute == 0)
                return v;

        /* How much of the whole bucket is missing, in time; never more, should the limit have been
         * changed. */
        missing = found && b->full_at > now ? MIN(b->full_at - now, whole) : 0;
        v.allowed = missing + interval <= whole;
        if (!v.allowed)
                v.wait = missing + interval - whole;
        else if (take)
                missing += interval;
        if (take)
                *b = (Bucket){ .client = client, .full_at = now + missing };
        v.remaining = (unsigned) ((whole - missing) / interval);
        v.full_in = missing;
        return v;
}

RateVerdict rate_table_take(
                RateTable *t, const void *name, size_t size, const RateLimit *limit, usec_t now) {
        return try(t, name, size, limit, now, true);
}

RateVerdict rate_table_look(
                RateTable *t, const void *name, size_t size, const RateLimit *limit, usec_t now) {
        return try(t, name, size, limit, now, false);
}

void rate_table_give(RateTable *t, const void *name, size_t size, const RateLimit *limit) {
        usec_t interval = interval_of(limit);
        bool found;
        Bucket *b = find(t, client_of(t, name, size), &found);

        if (found)
                b->full_at = b->full_at > interval ? b->full_at - interval : 0;
}

void rate_table_fill(RateTable *t, const void *name, size_t size) {
        bool found;
        Bucket *b = find(t, client_of(t, name, size), &found);

        if (found)
                b->full_at = 0;
}
