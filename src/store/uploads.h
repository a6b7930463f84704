/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that clients upload in chunks, and which chunks are there. The same rules and errors as in
 * store.h. */

#include "store/store.h"

typedef enum UploadState {
        UPLOAD_OPEN,
        UPLOAD_VERIFYING, /* all chunks are there, and the file is read to compare its SHA-256 */
        UPLOAD_COMPLETED, /* the file has its name */
        UPLOAD_FAILED, /* the SHA-256 differs; chunks may be sent again */
        _UPLOAD_STATE_MAX,
} UploadState;

/* "open", … */
const char *upload_state_to_string(UploadState s) _pure_;

typedef struct UploadRow {
        char *id;
        char *owner;
        char *filename; /* that was asked for */
        uint64_t size, chunk_size;
        char *sha256; /* hexadecimal digits; NULL: not given */
        UploadState state;
        char *path; /* COMPLETED, and while the file gets its name; else NULL */
        char *error; /* FAILED: what is wrong; else NULL */
        usec_t created_at, updated_at;
} UploadRow;

UploadRow *upload_row_free(UploadRow *row);
DEFINE_CLEANUP_FUNC(UploadRow *, upload_row_free);

/* An upload ends that long after its last change. */
#define UPLOAD_EXPIRES_AFTER (24 * USEC_PER_HOUR)

uint64_t upload_n_chunks(const UploadRow *row) _pure_;
/* Where the chunk begins, and how long it is. @chunk < upload_n_chunks(). */
uint64_t upload_chunk_offset(const UploadRow *row, uint64_t chunk) _pure_;
uint64_t upload_chunk_length(const UploadRow *row, uint64_t chunk) _pure_;

int store_upload_insert(Store *s, const UploadRow *row);
/* -ENOENT. Its chunks are forgotten, too. */
int store_upload_delete(Store *s, const char *id);
/* -ENOENT. */
int store_upload_get(Store *s, const char *id, UploadRow **ret);
/* State, path, error, SHA-256 and updated_at. -ENOENT. */
int store_upload_update(Store *s, const UploadRow *row);

/* The chunk is there, or is not. updated_at changes, too. -ENOENT. */
int store_upload_put_chunk(Store *s, const char *id, uint64_t chunk, usec_t now);
int store_upload_drop_chunk(Store *s, const char *id, uint64_t chunk);
/* The numbers of the chunks that are there, ascending; the caller frees them. */
int store_upload_chunks(Store *s, const char *id, uint64_t **ret, size_t *ret_n);

typedef struct UploadRows {
        UploadRow *rows;
        size_t n;
} UploadRows;
void upload_rows_done(UploadRows *l);
/* Those that have not been completed, and those that have changed since @since: 100 at most, the latest
 * changes first. */
int store_uploads_recent(Store *s, usec_t since, UploadRows *ret);

/* Uploads that have not been completed: all of them, those of @owner, and the sum of their sizes. */
typedef struct UploadCounts {
        uint64_t n, n_owner, size;
} UploadCounts;
int store_uploads_count(Store *s, const char *owner, UploadCounts *ret);

/* One that has not changed since @before, or -ENOENT. The caller frees the ID. */
int store_upload_find_expired(Store *s, usec_t before, char **ret);
