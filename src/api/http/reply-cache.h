/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers that are made of nothing but the database (Route.from_database), kept until it changes: clients
 * poll a job many times for one change of it, and building JSON is most of what an answer costs. The
 * version is store_version()'s, so an answer is never older than the database. */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

typedef struct ReplyCache ReplyCache;

/* Bytes of all answers and names together; beyond it the cache begins anew. */
#define REPLY_CACHE_SIZE_MAX ((size_t) 1024 * 1024)

/* NULL when out of memory. */
ReplyCache *reply_cache_new(void);
ReplyCache *reply_cache_free(ReplyCache *c);
DEFINE_CLEANUP_FUNC(ReplyCache *, reply_cache_free);

/* The answer kept under @dialect and @path when the database was at @version, or NULL. What is kept for
 * another version is forgotten. Valid until the next call. */
const char *reply_cache_get(
                ReplyCache *c, int64_t version, const char *dialect, const char *path, size_t *ret_size);

/* Keeps a copy of @text for the version last asked for. 0; -EFBIG for more than an eighth of the cache;
 * -ESTALE if none was asked for since the last flush; -ENOMEM. */
int reply_cache_put(ReplyCache *c, const char *dialect, const char *path, const char *text, size_t size);

/* Forgets everything: the database is another file. */
void reply_cache_flush(ReplyCache *c);
