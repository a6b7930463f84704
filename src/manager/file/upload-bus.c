/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/upload-bus.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/file/chunk-bus.h"
#include "manager/file/file-bus.h"
#include "manager/file/upload-verify.h"
#include "manager/file/upload.h"
#include "shared/bus-fields.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"
#include "spec/job-id.h"

/* So much of the file system remains free. */
#define FREE_PERCENT 5u

static int reply_upload(Manager *m, sd_bus_message *call, const UploadRow *row) {
        _cleanup_free_ char *text = upload_text(m, row);

        return text ? sd_bus_reply_method_return(call, "s", text) : -ENOMEM;
}

/* --- CreateUpload ---------------------------------------------------------------------------------- */

/* A file that a thread reserves. */
typedef struct Creation {
        Manager *manager;
        sd_bus_message *message; /* the loop's; NULL: it was answered */
        UploadRow *row;
        char *path;
        sd_bus_error error;
} Creation;

static void creation_free(void *userdata) {
        Creation *c = userdata;

        upload_row_free(c->row);
        free(c->path);
        sd_bus_error_free(&c->error);
        free(c);
}

static int no_space(Creation *c) {
        return bus_error_setf(&c->error, HYPER_BUS_ERROR_NO_SPACE,
                        "size: there is no space for %" PRIu64 " bytes on the disk; %u %% of it remain free",
                        c->row->size, FREE_PERCENT);
}

static int reserve(Creation *c, int fd) {
        struct statvfs st;

        if (fstatvfs(fd, &st) < 0)
                return -errno;
        uint64_t available = (uint64_t) st.f_bavail * st.f_frsize,
                 kept = (uint64_t) st.f_blocks * st.f_frsize / 100 * FREE_PERCENT;
        if (available < kept || c->row->size > available - kept)
                return no_space(c);
        if (fallocate(fd, 0, 0, (off_t) c->row->size) < 0) {
                if (errno == ENOSPC)
                        return no_space(c);
                if (errno != EOPNOTSUPP || ftruncate(fd, (off_t) c->row->size) < 0)
                        return -errno;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

static int create_file(void *userdata) {
        Creation *c = userdata;
        _cleanup_free_ char *directory = strndup(c->path, (size_t) (strrchr(c->path, '/') - c->path));
        int r = directory ? mkdir_parents(directory, 0750) : -ENOMEM;

        if (r < 0)
                return r;
        _cleanup_close_ int fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640),
                            dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || dir_fd < 0)
                return -errno;
        r = reserve(c, fd);
        if (r >= 0 && fsync(dir_fd) < 0)
                r = -errno;
        if (r < 0)
                (void) unlink(c->path);
        return r;
}

static int finish_creation(Creation *c) {
        Manager *m = c->manager;
        int r = store_upload_insert(m->store, c->row);

        if (r < 0) {
                (void) unlink(c->path);
                return upload_store_failed(m, r, &c->error);
        }
        log_info("Upload %s of %s has begun: %s, %" PRIu64 " bytes", c->row->id, c->row->owner,
                        c->row->filename, c->row->size);
        return reply_upload(m, c->message, c->row);
}

static void on_created(int r, void *userdata) {
        Creation *c = userdata;

        if (r >= 0)
                r = finish_creation(c);
        file_call_end(c->manager, &c->message, r, &c->error);
}

/* "up-" and a random UUID. */
static int make_id(char **ret) {
        _cleanup_free_ char *uuid = NULL;
        int r = job_id_make(&uuid);

        if (r < 0)
                return r;
        *ret = strprintf("up-%s", uuid);
        return *ret ? 0 : -ENOMEM;
}

static int make_row(Manager *m, UploadDefinition *d, const char *owner, UploadRow **ret) {
        _cleanup_(upload_row_freep) UploadRow *row = new0(UploadRow, 1);
        int r = row ? make_id(&row->id) : -ENOMEM;

        if (r < 0)
                return r;
        row->owner = strdup(owner);
        if (!row->owner)
                return -ENOMEM;
        row->filename = TAKE_PTR(d->filename);
        row->sha256 = TAKE_PTR(d->sha256);
        row->size = d->size;
        row->chunk_size = d->chunk_size;
        row->created_at = row->updated_at = m->clock();
        *ret = TAKE_PTR(row);
        return 0;
}

static int start_creation(Manager *m, sd_bus_message *message, UploadDefinition *d, const char *owner,
                sd_bus_error *error) {
        Creation *c;
        int r = manager_check_upload_limits(m, owner, d->size, error);

        if (r < 0)
                return r;
        c = new0(Creation, 1);
        if (!c)
                return -ENOMEM;
        c->manager = m;
        r = make_row(m, d, owner, &c->row);
        if (r >= 0) {
                c->path = upload_part_path(m, c->row->id);
                r = c->path ? thread_call(m->file_calls, create_file, on_created, creation_free, c)
                            : -ENOMEM;
        }
        if (r < 0) {
                creation_free(c);
                return r == -EBUSY ? files_busy(error) : r;
        }
        c->message = sd_bus_message_ref(message);
        return 1;
}

int method_create_upload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(upload_definition_done) UploadDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_free_ char *owner = NULL;
        const char *definition, *given;
        Manager *m = userdata;
        int r = bus_verify_polkit(message, MANAGE_FILES, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "ss", &definition, &given);
        if (r >= 0)
                r = upload_owner(message, given, &owner, error);
        if (r < 0)
                return r;
        r = upload_definition_decode(definition, &d, &fields);
        if (r == -EBADMSG)
                r = bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, &fields);
        if (r >= 0)
                r = start_creation(m, message, &d, owner, error);
        return r < 0 ? bus_reply_fields_error(message, r, error, &fields) : 1;
}

/* --- the others ------------------------------------------------------------------------------------ */

/* Reads "ss", the ID and the owner. 1, or 0 if polkit is asked. */
static int read_upload(sd_bus_message *message, Manager *m, UploadRow **ret, sd_bus_error *error) {
        _cleanup_free_ char *owner = NULL;
        const char *id, *given;
        int r = bus_verify_polkit(message, MANAGE_FILES, &m->polkit, error);

        if (r <= 0)
                return r;
        r = sd_bus_message_read(message, "ss", &id, &given);
        if (r >= 0)
                r = upload_owner(message, given, &owner, error);
        if (r >= 0)
                r = manager_find_upload(m, id, owner, ret, error);
        return r < 0 ? r : 1;
}

int method_get_upload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        Manager *m = userdata;
        int r = read_upload(message, m, &row, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        /* It ended with the manager, if that was stopped. */
        if (row->state == UPLOAD_VERIFYING && !upload_verify_is_running(m, row->id)) {
                r = upload_verify_start(m, row, NULL, error);
                if (r < 0)
                        return r;
        }
        return reply_upload(m, message, row);
}

static int missing_chunks(Manager *m, const UploadRow *row, sd_bus_error *error) {
        _cleanup_free_ uint64_t *chunks = NULL;
        size_t n = 0;

        int r = store_upload_chunks(m->store, row->id, &chunks, &n);
        if (r < 0)
                return upload_store_failed(m, r, error);
        if (n == upload_n_chunks(row))
                return 0;
        return bus_error_setf(error, HYPER_BUS_ERROR_CHUNKS_MISSING,
                        "%" PRIu64 " of %" PRIu64 " chunks are missing", upload_n_chunks(row) - n,
                        upload_n_chunks(row));
}

/* Another SHA-256 than that of the beginning is refused. */
static int take_sha256(UploadRow *row, const char *given, sd_bus_error *error) {
        _cleanup_free_ char *copy = NULL;

        if (!*given)
                return 0;
        copy = strdup(given);
        if (!copy)
                return -ENOMEM;
        if (!upload_sha256_normalize(copy))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "sha256: must be 64 hexadecimal digits");
        if (row->sha256 && !streq(row->sha256, copy))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "sha256: differs from the one that was given when the upload began");
        free(row->sha256);
        row->sha256 = TAKE_PTR(copy);
        return 0;
}

static int complete(Manager *m, sd_bus_message *message, UploadRow *row, const char *sha256,
                sd_bus_error *error) {
        int r = take_sha256(row, sha256, error);

        if (r >= 0 && row->state != UPLOAD_COMPLETED && !upload_verify_is_running(m, row->id)) {
                r = missing_chunks(m, row, error);
                if (r >= 0 && chunk_is_being_written(m, row->id, UINT64_MAX))
                        r = bus_error_setf(error, HYPER_BUS_ERROR_CHUNK_BUSY,
                                        "A chunk of %s is being written", row->id);
                if (r >= 0 && row->sha256)
                        return upload_verify_start(m, row, message, error);
                if (r >= 0)
                        r = manager_publish_upload(m, row, error);
        }
        return r < 0 ? r : reply_upload(m, message, row);
}

int method_complete_upload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        const char *sha256;
        Manager *m = userdata;
        int r = read_upload(message, m, &row, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &sha256);
        if (r >= 0)
                r = complete(m, message, row, sha256, error);
        return r < 0 ? r : 1;
}

int method_delete_upload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        Manager *m = userdata;
        int r = read_upload(message, m, &row, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        if (row->state == UPLOAD_VERIFYING && upload_verify_is_running(m, row->id))
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE,
                                "Upload %s is being verified; try again when that is over", row->id);
        chunks_forget(m, row->id);
        r = manager_remove_upload(m, row->id);
        if (r < 0)
                return upload_store_failed(m, r, error);
        log_info("Upload %s was deleted", row->id);
        return sd_bus_reply_method_return(message, NULL);
}
