/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-chunk.h"

#include <fcntl.h>
#include <nettle/sha2.h>

#include "api/api-state.h"
#include "api/bus-client.h"
#include "api/http/content-digest.h"
#include "api/http/http-server.h"
#include "api/http/multipart.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/http/request-work.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "api/metrics.h"
#include "api/v1/v1-upload.h"
#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"

#define FIELD_MAX 128u
/* How much is written at once, by a thread: a disk may be slow. */
#define WRITE_SIZE ((size_t) 256 * 1024)
/* Of memory for a chunk: what is written, and the pieces that come with its end. */
#define CHUNK_MEMORY (WRITE_SIZE + 2 * HTTP_MEMORY_MAX)

typedef enum ChunkStage {
        CHUNK_FIELDS, /* nothing of the chunk has come */
        CHUNK_BEGINNING, /* the manager is asked for a descriptor */
        CHUNK_WRITING,
        CHUNK_ENDING, /* the manager flushes and records it */
} ChunkStage;

/* What a thread writes. */
typedef struct ChunkPiece {
        int fd;
        uint64_t offset;
        struct sha256_ctx context;
        char *data;
        size_t size;
} ChunkPiece;

typedef struct Chunk {
        Api *api;
        Multipart *multipart; /* NULL: the body is the chunk */
        char id[FIELD_MAX], index_text[FIELD_MAX], sha256[FIELD_MAX]; /* as they came */
        uint64_t index;
        ChunkStage stage;
        int fd;
        uint64_t offset, length, size; /* of the chunk; how much has come */
        char *buffer; /* what is not written yet */
        size_t n_buffer, allocated;
        bool has_memory; /* it is counted among the bodies */
        bool has_ended; /* all is here */
        bool has_digest;
        uint8_t digest[SHA256_DIGEST_SIZE];
        struct sha256_ctx context;
        int error; /* of a function that was called by the parser */
        Request *request; /* during such a call */
} Chunk;

typedef struct ChunkQuery {
        const char *upload_id, *chunk_index;
} ChunkQuery;

const QueryField v1_chunk_query[] = {
        { "upload_id", QUERY_STRING, offsetof(ChunkQuery, upload_id), .max = FIELD_MAX - 1,
                        .description = "With a body that is the chunk itself." },
        { "chunk_index", QUERY_STRING, offsetof(ChunkQuery, chunk_index), .max = FIELD_MAX - 1,
                        .description = "Likewise; from 0." },
        {},
};

static const SchemaField chunk_fields[] = {
        { "upload_id", SCHEMA_STRING },
        { "chunk_index", SCHEMA_INTEGER },
        { "received", SCHEMA_INTEGER, .description = "The bytes of this chunk." },
        { "received_bytes", SCHEMA_INTEGER, .description = "Of all chunks." },
        { "total_chunks", SCHEMA_INTEGER },
        { "progress", SCHEMA_NUMBER, .description = "Percent." },
        { "complete", SCHEMA_BOOLEAN },
        {},
};
static const Schema chunk_schema = { .name = "UploadedChunk", .fields = chunk_fields };
const Reply v1_chunk_replies[] = { REPLY_OBJECT(200, "It survives a power failure.", chunk_schema), {} };

static void chunk_free(void *userdata) {
        Chunk *c = userdata;

        if (c->stage == CHUNK_WRITING)
                manager_drop_chunk(c->api, c->id, c->index);
        if (c->has_memory)
                api_give_body(c->api, CHUNK_MEMORY);
        multipart_free(c->multipart);
        safe_close(c->fd);
        free(c->buffer);
        free(c);
}

/* --- the fields ------------------------------------------------------------------------------------ */

static int missing(Request *r, const char *field) {
        (void) request_reply_error(r, 400,
                        "%s: must be given in the query, or in a multipart body before the chunk", field);
        return -EINVAL;
}

static int check_fields(Request *r, Chunk *c) {
        if (!*c->id)
                return missing(r, "upload_id");
        if (!*c->index_text)
                return missing(r, "chunk_index");
        if (parse_uint64(c->index_text, &c->index) < 0 || c->index > INT64_MAX)
                return request_reply_error(r, 400, "chunk_index: must be a whole number, from 0"), -EINVAL;
        return 0;
}

/* The digest that the client has given, of a header or a field. */
static int read_digest(Request *r, Chunk *c) {
        const char *content = request_header(r, "Content-Digest"),
                   *hex = request_header(r, "X-Chunk-SHA256");
        int k;

        if (*c->sha256)
                hex = c->sha256;
        if (hex) {
                c->has_digest = sha256_from_hex(hex, c->digest) >= 0;
                return c->has_digest ? 0
                                     : (request_reply_error(r, 400, "sha256: must be 64 hexadecimal digits"),
                                                       -EINVAL);
        }
        k = content ? content_digest_decode(content, c->digest) : 0;
        if (k < 0)
                return request_reply_error(r, 400, "Content-Digest: the sha-256 is malformed"), -EINVAL;
        c->has_digest = k > 0;
        return 0;
}

static bool append_field(char *field, const char *data, uint64_t offset, size_t size) {
        if (offset > FIELD_MAX - 1 || size > FIELD_MAX - 1 - offset)
                return false;
        memcpy(field + offset, data, size);
        field[offset + size] = '\0';
        return strlen(field) == offset + size;
}

/* --- the bytes ------------------------------------------------------------------------------------- */

static int end(Request *r, Chunk *c);

static void piece_free(void *userdata) {
        ChunkPiece *p = userdata;

        safe_close(p->fd);
        free(p->data);
        free(p);
}

static int write_piece(void *userdata) {
        ChunkPiece *p = userdata;

        sha256_update(&p->context, p->size, (const uint8_t *) p->data);
        return pwrite_full(p->fd, p->data, p->size, p->offset);
}

static int on_written(Request *r, int result, void *userdata) {
        Chunk *c = request_userdata(r);
        ChunkPiece *p = userdata;

        if (result < 0)
                return result;
        c->context = p->context;
        if (!c->buffer) {
                c->buffer = TAKE_PTR(p->data);
                c->allocated = p->size;
        }
        return c->has_ended ? end(r, c) : 0;
}

/* What is in the buffer, which is a part of what has come, at its end. */
static int write_buffer(Request *r, Chunk *c) {
        static const RequestWorkOps ops = { write_piece, on_written, piece_free };
        ChunkPiece *p = new0(ChunkPiece, 1);
        int k;

        if (!p)
                return -ENOMEM;
        p->context = c->context;
        p->offset = c->offset + c->size - c->n_buffer;
        p->size = c->n_buffer;
        p->data = TAKE_PTR(c->buffer);
        c->n_buffer = c->allocated = 0;
        p->fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);
        k = p->fd < 0 ? -errno : request_work(api_works(request_api(r)), r, &ops, p);
        if (k < 0)
                piece_free(p);
        return k;
}

static int append_bytes(Chunk *c, const char *data, size_t size) {
        if (size > c->allocated - c->n_buffer) {
                size_t n = MAX(c->n_buffer + size, 2 * c->allocated);
                char *p = realloc(c->buffer, n);

                if (!p)
                        return -ENOMEM;
                c->buffer = p;
                c->allocated = n;
        }
        memcpy(c->buffer + c->n_buffer, data, size);
        c->n_buffer += size;
        c->size += size;
        return 0;
}

/* If there is enough to be written. The next bytes come when that is done. */
static int write_bytes(Request *r, Chunk *c) {
        if (c->size > c->length)
                return request_reply_error(r, 400,
                                       "chunk: must have %" PRIu64 " bytes, as chunk %" PRIu64
                                       " of this upload has",
                                       c->length, c->index),
                       -EINVAL;
        return c->n_buffer >= WRITE_SIZE ? write_buffer(r, c) : 0;
}

static int on_begun(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        Chunk *c = userdata;
        int fd, k;

        if (error) {
                c->stage = CHUNK_FIELDS;
                return request_reply_bus_error(r, error);
        }
        c->stage = CHUNK_WRITING; /* from now on, the manager has to be told */
        k = sd_bus_message_read(m, "htt", &fd, &c->offset, &c->length);
        if (k < 0)
                return k;
        c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return c->fd < 0 ? -errno : write_bytes(r, c);
}

static int begin(Request *r, Chunk *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char owner[REQUEST_OWNER_SIZE];
        int k = check_fields(r, c);

        if (k < 0)
                return k;
        c->has_memory = api_take_body(c->api, CHUNK_MEMORY);
        if (!c->has_memory)
                return request_reply_error(
                                       r, 503, "Too many large requests at once; try again in a moment."),
                       -ENOBUFS;
        k = manager_call_new(r, "BeginChunk", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "sst", c->id, v1_upload_owner(r, owner), c->index);
        if (k >= 0)
                k = manager_call(r, m, on_begun, c);
        if (k >= 0)
                c->stage = CHUNK_BEGINNING;
        return k;
}

/* While the manager is asked, or a thread writes, no more comes than the rest of one piece. */
static int take_bytes(Request *r, Chunk *c, const char *data, size_t size) {
        int k = c->stage == CHUNK_FIELDS ? begin(r, c) : 0;

        if (k >= 0)
                k = append_bytes(c, data, size);
        return k >= 0 && c->stage == CHUNK_WRITING ? write_bytes(r, c) : k;
}

/* --- multipart ------------------------------------------------------------------------------------- */

static bool on_field(void *userdata, const char *name, const char *data, uint64_t offset, size_t size) {
        Chunk *c = userdata;
        bool begun = c->stage != CHUNK_FIELDS, ok = true;

        if (!c->request) /* the parser is being freed */
                return false;
        if (!name)
                return true;
        if (streq(name, "chunk"))
                c->error = size > 0 ? take_bytes(c->request, c, data, size) : 0;
        else if (streq(name, "upload_id"))
                ok = !begun && append_field(c->id, data, offset, size);
        else if (streq(name, "chunk_index"))
                ok = !begun && append_field(c->index_text, data, offset, size);
        else if (streq(name, "sha256"))
                ok = append_field(c->sha256, data, offset, size);
        if (!ok) {
                (void) request_reply_error(
                                c->request, 400, "%s: is too long, or comes after the chunk", name);
                c->error = -EINVAL;
        }
        return c->error >= 0;
}

static int new_chunk(Request *r, Chunk **ret) {
        ChunkQuery q = {};
        Chunk *c = new0(Chunk, 1);
        int k;

        if (!c)
                return -ENOMEM;
        c->api = request_api(r);
        c->fd = -EBADF;
        sha256_init(&c->context);
        request_set_userdata(r, c, chunk_free);
        k = request_query_decode(r, &q);
        if (k < 0)
                return k;
        (void) append_field(c->id, strempty(q.upload_id), 0, strlen(strempty(q.upload_id)));
        (void) append_field(c->index_text, strempty(q.chunk_index), 0, strlen(strempty(q.chunk_index)));
        k = multipart_new(r, on_field, c, &c->multipart);
        if (k < 0 && k != -EINVAL)
                return k;
        *ret = c;
        return 0;
}

int v1_read_chunk(Request *r, const char *data, size_t size) {
        Chunk *c = request_userdata(r);
        int k = c ? 0 : new_chunk(r, &c);

        if (k < 0)
                return k;
        if (!c->multipart)
                return take_bytes(r, c, data, size);
        c->request = r;
        k = multipart_feed(c->multipart, data, size);
        c->request = NULL;
        if (k == -EBADMSG)
                return request_reply_error(r, 400, "The body is not valid multipart/form-data."), -EBADMSG;
        return c->error < 0 ? c->error : k;
}

/* --- the end --------------------------------------------------------------------------------------- */

static int on_ended(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const Chunk *c = userdata;
        _cleanup_json_ json_t *upload = NULL;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hypersdk_read_object(m, &upload);
        if (k < 0)
                return k;
        metrics_count_upload(c->api->metrics, c->size);
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:I, s:I, s:O, s:O, s:O, s:O}", "upload_id", c->id, "chunk_index",
                                        (json_int_t) c->index, "received", (json_int_t) c->size,
                                        "received_bytes", json_object_get(upload, "received_bytes"),
                                        "total_chunks", json_object_get(upload, "total_chunks"), "progress",
                                        json_object_get(upload, "progress"), "complete",
                                        json_object_get(upload, "complete")));
}

static int check_digest(Request *r, Chunk *c) {
        uint8_t digest[SHA256_DIGEST_SIZE];

        sha256_digest(&c->context, sizeof(digest), digest);
        if (!c->has_digest || memcmp(digest, c->digest, sizeof(digest)) == 0)
                return 0;
        return request_reply_error(r, 400, "sha256: the chunk has another one; send it again"), -EINVAL;
}

static int check_chunk(Request *r, Chunk *c) {
        int k = c->multipart ? multipart_end(&c->multipart) : 0;

        if (k < 0)
                return request_reply_error(r, 400, "The body of type multipart/form-data has no end."), k;
        if (c->stage == CHUNK_FIELDS) {
                k = check_fields(r, c);
                return k < 0 ? k : (request_reply_error(r, 400, "chunk: must not be empty"), -EINVAL);
        }
        if (c->size != c->length)
                return request_reply_error(r, 400,
                                       "chunk: has %" PRIu64 " bytes, but chunk %" PRIu64
                                       " of this upload has %" PRIu64,
                                       c->size, c->index, c->length),
                       -EINVAL;
        return read_digest(r, c);
}

static int end(Request *r, Chunk *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = check_digest(r, c);

        if (k >= 0)
                k = manager_call_new(r, "EndChunk", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "stb", c->id, c->index, 1);
        if (k >= 0)
                k = manager_call(r, m, on_ended, c);
        if (k >= 0)
                c->stage = CHUNK_ENDING;
        return k;
}

int v1_end_chunk(Request *r) {
        Chunk *c = request_userdata(r);
        int k = c ? 0 : new_chunk(r, &c);

        if (k >= 0)
                k = check_chunk(r, c);
        if (k < 0)
                return k;
        c->has_ended = true;
        return c->n_buffer > 0 ? write_buffer(r, c) : end(r, c);
}
