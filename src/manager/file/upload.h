/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that clients upload in chunks. The manager reserves a file in the directory .parts, gives the client
 * (hyper-apid) a descriptor for each chunk, flushes what it has written and records the chunk. When all are
 * there, and the SHA-256 is right, the file gets its name in /var/lib/hyper/uploads. */

#include "manager/manager.h"
#include "store/uploads.h"
#include "json/json-table.h"

#define UPLOAD_SIZE_MAX ((uint64_t) 16 << 40)
#define UPLOAD_CHUNK_SIZE_MIN ((uint64_t) 1 << 20)
#define UPLOAD_CHUNK_SIZE_MAX ((uint64_t) 256 << 20)
#define UPLOAD_CHUNK_SIZE ((uint64_t) 10 << 20)
#define UPLOAD_CHUNKS_MAX 100000u
#define UPLOADS_OPEN_MAX 16u
#define UPLOADS_OPEN_OF_OWNER_MAX 4u

typedef struct UploadDefinition {
        char *filename, *sha256;
        uint64_t size, chunk_size;
} UploadDefinition;
void upload_definition_done(UploadDefinition *d);

/* {"filename", "size", "chunk_size", "sha256"}, as text. The name is reduced to its last part and to letters,
 * digits and "._-", the SHA-256 to small letters; the size of a chunk is set, and raised so that there are at
 * most UPLOAD_CHUNKS_MAX. 0, -EBADMSG with all that is wrong in @errors, -ENOMEM. */
int upload_definition_decode(const char *text, UploadDefinition *ret, JsonErrors *errors);

/* Makes letters small. False if it is no SHA-256 in hexadecimal digits. */
bool upload_sha256_normalize(char *text);

/* For clients, as JSON text: {"upload_id", "filename", "size", …, "received_chunks"}. The caller frees it;
 * NULL when out of memory, or if the database cannot be read. */
char *upload_text(Manager *m, const UploadRow *row);

/* The owner in whose name the sender of a call acts: hyper-apid and root pass it, others act for themselves,
 * as "user:<uid>". The caller frees it. 0, or negative errno with @error set. */
int upload_owner(sd_bus_message *message, const char *owner, char **ret, sd_bus_error *error);

/* The upload, if it is @owner's, or @owner is ""; else NoSuchUpload. Uploads that have expired are removed
 * first. 0, or negative errno with @error set; the caller frees the row. */
int manager_find_upload(Manager *m, const char *id, const char *owner, UploadRow **ret, sd_bus_error *error);

/* ".parts/<id>" in the directory of uploads; the caller frees it. NULL when out of memory. */
char *upload_part_path(const Manager *m, const char *id);

/* Whether there may be one more of @size bytes; else TooManyUploads. 0 or negative errno with @error set. */
int manager_check_upload_limits(Manager *m, const char *owner, uint64_t size, sd_bus_error *error);

/* A function of the store has failed with @r. Negative errno, with @error set unless it is -ENOMEM. */
int upload_store_failed(Manager *m, int r, sd_bus_error *error);

/* Removes what it has on disk, and its row. 0 or negative errno. */
int manager_remove_upload(Manager *m, const char *id);

/* Gives the file a name that is not taken, and records that the upload is COMPLETED, in @row, too. 0 or
 * negative errno with @error set. May be called again after a power failure. */
int manager_publish_upload(Manager *m, UploadRow *row, sd_bus_error *error);
