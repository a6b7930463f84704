/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/chunk-bus.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "manager/file/file-bus.h"
#include "manager/file/upload-verify.h"
#include "manager/file/upload.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"

/* A chunk that a client writes. */
struct UploadChunk {
        LIST_ENTRY(UploadChunk) chunks;
        Manager *manager;
        char *upload_id;
        uint64_t index;
        int fd;
        sd_bus_track *track; /* of the client */
        bool flushing; /* a thread flushes it */
};

static UploadChunk *find(const Manager *m, const char *upload_id, uint64_t index) {
        UploadChunk *c;

        LIST_FOREACH(c, &m->chunks, chunks)
                if ((index == UINT64_MAX || c->index == index) && streq(c->upload_id, upload_id))
                        return c;
        return NULL;
}

bool chunk_is_being_written(const Manager *m, const char *upload_id, uint64_t chunk) {
        return find(m, upload_id, chunk);
}

static void chunk_free(UploadChunk *c) {
        LIST_REMOVE(c, chunks);
        sd_bus_track_unref(c->track);
        safe_close(c->fd);
        free(c->upload_id);
        free(c);
}

void chunks_forget(Manager *m, const char *upload_id) {
        UploadChunk *c, *next;

        for (c = LIST_FIRST(&m->chunks); c; c = next) {
                next = LIST_NEXT(c, chunks);
                if (!upload_id || streq(c->upload_id, upload_id))
                        chunk_free(c);
        }
}

/* The client is gone. */
static int on_gone(sd_bus_track *track, void *userdata) {
        UploadChunk *c = userdata;

        if (!c->flushing)
                chunk_free(c);
        return 0;
}

/* --- BeginChunk ------------------------------------------------------------------------------------ */

static int check_index(const UploadRow *row, uint64_t index, sd_bus_error *error) {
        if (index < upload_n_chunks(row))
                return 0;
        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "chunk_index: must be 0 to %" PRIu64,
                        upload_n_chunks(row) - 1);
}

static int check_state(Manager *m, const UploadRow *row, uint64_t index, sd_bus_error *error) {
        if (row->state == UPLOAD_COMPLETED)
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE, "Upload %s is complete already",
                                row->id);
        if (upload_verify_is_running(m, row->id))
                return bus_error_setf(
                                error, HYPER_BUS_ERROR_WRONG_STATE, "Upload %s is being verified", row->id);
        if (find(m, row->id, index))
                return bus_error_setf(error, HYPER_BUS_ERROR_CHUNK_BUSY,
                                "Another request writes chunk %" PRIu64 " of %s", index, row->id);
        return 0;
}

static int open_part(Manager *m, const UploadRow *row, int *ret, sd_bus_error *error) {
        _cleanup_free_ char *path = upload_part_path(m, row->id);

        if (!path)
                return -ENOMEM;
        int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                (void) manager_remove_upload(m, row->id);
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_UPLOAD,
                                "Upload %s has expired: its file was removed", row->id);
        }
        if (fd < 0)
                return -errno;
        *ret = fd;
        return 0;
}

/* What is there is not a part of the file any more, from now on: it is going to be written over. */
static int invalidate(Manager *m, UploadRow *row, uint64_t index, sd_bus_error *error) {
        int r = store_upload_drop_chunk(m->store, row->id, index);

        if (r >= 0 && row->state != UPLOAD_OPEN) {
                row->state = UPLOAD_OPEN;
                row->error = mfree(row->error);
                r = store_upload_update(m->store, row);
        }
        return r < 0 ? upload_store_failed(m, r, error) : r;
}

static int add_chunk(Manager *m, sd_bus_message *message, const UploadRow *row, uint64_t index, int fd,
                UploadChunk **ret) {
        UploadChunk *c = new0(UploadChunk, 1);
        int r;

        if (!c)
                return -ENOMEM;
        *c = (UploadChunk){ .manager = m, .index = index, .fd = -EBADF, .upload_id = strdup(row->id) };
        LIST_INSERT_HEAD(&m->chunks, c, chunks);
        r = c->upload_id ? sd_bus_track_new(m->bus, &c->track, on_gone, c) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_track_add_sender(c->track, message);
        if (r >= 0) {
                c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                r = c->fd < 0 ? -errno : 0;
        }
        if (r < 0) {
                chunk_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

int method_begin_chunk(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        _cleanup_free_ char *owner = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *id, *given;
        UploadChunk *chunk;
        Manager *m = userdata;
        uint64_t index;
        int r = bus_verify_polkit(message, MANAGE_FILES, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "sst", &id, &given, &index);
        if (r >= 0)
                r = upload_owner(message, given, &owner, error);
        if (r >= 0)
                r = manager_find_upload(m, id, owner, &row, error);
        if (r >= 0)
                r = check_index(row, index, error);
        if (r >= 0)
                r = check_state(m, row, index, error);
        if (r >= 0)
                r = open_part(m, row, &fd, error);
        if (r >= 0)
                r = invalidate(m, row, index, error);
        if (r >= 0)
                r = add_chunk(m, message, row, index, fd, &chunk);
        return r < 0 ? r
                     : sd_bus_reply_method_return(message, "htt", fd, upload_chunk_offset(row, index),
                                       upload_chunk_length(row, index));
}

/* --- EndChunk -------------------------------------------------------------------------------------- */

/* A chunk that a thread flushes. */
typedef struct Flush {
        Manager *manager;
        sd_bus_message *message; /* the loop's; NULL: it was answered */
        char *upload_id;
        uint64_t index;
        int fd;
} Flush;

static void flush_free(void *userdata) {
        Flush *f = userdata;

        free(f->upload_id);
        safe_close(f->fd);
        free(f);
}

static int flush(void *userdata) {
        Flush *f = userdata;

        return fdatasync(f->fd) < 0 ? -errno : 0;
}

static int record(Flush *f, sd_bus_error *error) {
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        _cleanup_free_ char *text = NULL;
        Manager *m = f->manager;
        int r = store_upload_put_chunk(m->store, f->upload_id, f->index, m->clock());

        if (r >= 0)
                r = store_upload_get(m->store, f->upload_id, &row);
        if (r < 0)
                return upload_store_failed(m, r, error);
        text = upload_text(m, row);
        return text ? sd_bus_reply_method_return(f->message, "s", text) : -ENOMEM;
}

static void on_flushed(int r, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Flush *f = userdata;
        UploadChunk *c = find(f->manager, f->upload_id, f->index);

        if (!c)
                r = bus_error_setf(&error, HYPER_BUS_ERROR_NO_SUCH_UPLOAD, "Upload %s was deleted",
                                f->upload_id);
        else {
                chunk_free(c);
                if (r == -ENOSPC || r == -EDQUOT)
                        r = bus_error_setf(&error, HYPER_BUS_ERROR_NO_SPACE, NULL);
                else if (r >= 0)
                        r = record(f, &error);
        }
        file_call_end(f->manager, &f->message, r, &error);
}

static int start_flush(UploadChunk *c, sd_bus_message *message, sd_bus_error *error) {
        Manager *m = c->manager;
        Flush *f = new0(Flush, 1);
        int r;

        if (!f)
                return -ENOMEM;
        *f = (Flush){ .manager = m,
                .index = c->index,
                .upload_id = strdup(c->upload_id),
                .fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3) };
        r = !f->upload_id           ? -ENOMEM
                        : f->fd < 0 ? -errno
                                    : thread_call(m->file_calls, flush, on_flushed, flush_free, f);
        if (r < 0) {
                flush_free(f);
                return r == -EBUSY ? files_busy(error) : r;
        }
        f->message = sd_bus_message_ref(message);
        c->flushing = true;
        return 1;
}

int method_end_chunk(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *id;
        UploadChunk *c;
        uint64_t index;
        int written, r = sd_bus_message_read(message, "stb", &id, &index, &written);

        if (r < 0)
                return r;
        c = find(m, id, index);
        /* Only the client that began it. */
        if (!c || c->flushing || sd_bus_track_count_sender(c->track, message) <= 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE,
                                "chunk_index: chunk %" PRIu64 " of %s was not begun by this client, or its "
                                "upload has ended; send it again",
                                index, id);
        if (written)
                return start_flush(c, message, error);
        chunk_free(c);
        return sd_bus_reply_method_return(message, "s", "");
}
