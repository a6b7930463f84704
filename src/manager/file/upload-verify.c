/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/upload-verify.h"

#include <fcntl.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/file/file-bus.h"
#include "manager/file/upload.h"
#include "manager/idle.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"

/* A client that waits for the result is answered after this. */
#define ANSWER_TIME (10 * USEC_PER_SEC)
#define BUFFER_SIZE ((size_t) 1024 * 1024)

struct UploadVerification {
        LIST_ENTRY(UploadVerification) verifications; /* the loop's, as all but @fd and @digest */
        Manager *manager;
        UploadRow *row;
        sd_bus_message *message; /* NULL: nobody waits */
        sd_event_source *timer;
        int fd;
        char digest[2 * SHA256_DIGEST_SIZE + 1]; /* the thread's, until it is done */
};

static void verification_free(void *userdata) {
        UploadVerification *v = userdata;

        upload_row_free(v->row);
        safe_close(v->fd);
        free(v);
}

static UploadVerification *find(const Manager *m, const char *id) {
        UploadVerification *v;

        LIST_FOREACH(v, &m->verifications, verifications)
                if (streq(v->row->id, id))
                        return v;
        return NULL;
}

bool upload_verify_is_running(const Manager *m, const char *id) {
        return find(m, id);
}

static void format_digest(const uint8_t digest[static SHA256_DIGEST_SIZE], char *ret) {
        static const char hex[] = "0123456789abcdef";

        for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
                *ret++ = hex[digest[i] >> 4];
                *ret++ = hex[digest[i] & 15];
        }
        *ret = '\0';
}

static int hash_file(void *userdata) {
        UploadVerification *v = userdata;
        _cleanup_free_ uint8_t *buf = malloc(BUFFER_SIZE);
        uint8_t digest[SHA256_DIGEST_SIZE];
        struct sha256_ctx context;

        if (!buf)
                return -ENOMEM;
        sha256_init(&context);
        for (uint64_t offset = 0; offset < v->row->size;) {
                size_t n = (size_t) MIN(BUFFER_SIZE, v->row->size - offset);
                int r = pread_full(v->fd, buf, n, offset);

                if (r < 0)
                        return r;
                sha256_update(&context, n, buf);
                offset += n;
        }
        sha256_digest(&context, sizeof(digest), digest);
        format_digest(digest, v->digest);
        return 0;
}

static void answer(UploadVerification *v, int r, sd_bus_error *error) {
        _cleanup_free_ char *text = r >= 0 ? upload_text(v->manager, v->row) : NULL;

        v->timer = sd_event_source_disable_unref(v->timer);
        if (!v->message)
                return;
        if (r >= 0)
                r = text ? sd_bus_reply_method_return(v->message, "s", text) : -ENOMEM;
        if (r < 0)
                r = sd_bus_error_is_set(error) ? sd_bus_reply_method_error(v->message, error)
                                               : sd_bus_reply_method_errno(v->message, r, NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to answer a client that uploads a file: %m");
        v->message = sd_bus_message_unref(v->message);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        answer(userdata, 0, NULL);
        return 0;
}

static int fail(UploadVerification *v, const char *why, sd_bus_error *error) {
        v->row->state = UPLOAD_FAILED;
        v->row->updated_at = v->manager->clock();
        free(v->row->error);
        v->row->error = strdup(why);
        if (!v->row->error)
                return -ENOMEM;
        log_info("Upload %s has failed: %s", v->row->id, why);
        int r = store_upload_update(v->manager->store, v->row);
        if (r < 0)
                return upload_store_failed(v->manager, r, error);
        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "%s", why);
}

static int finish(UploadVerification *v, int r, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;

        if (r < 0)
                why = strprintf("The uploaded file cannot be read: %s", strerror(-r));
        else if (!streq(v->digest, v->row->sha256))
                why = strprintf("sha256: the uploaded file has %s", v->digest);
        else
                return manager_publish_upload(v->manager, v->row, error);
        return why ? fail(v, why, error) : -ENOMEM;
}

static void on_hashed(int r, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        UploadVerification *v = userdata;

        LIST_REMOVE(v, verifications);
        if (r == -ECANCELED) /* the manager ends; it is repeated when somebody asks for the upload */
                (void) bus_error_setf(&error, HYPER_BUS_ERROR_UNAVAILABLE, NULL);
        else
                r = finish(v, r, &error);
        answer(v, r, &error);
        idle_lookup_done(v->manager);
}

/* 1 if the file has its name already: a power failure came before that was recorded. */
static int open_part(Manager *m, const UploadRow *row, int *ret, sd_bus_error *error) {
        _cleanup_free_ char *path = upload_part_path(m, row->id);

        if (!path)
                return -ENOMEM;
        *ret = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (*ret >= 0)
                return 0;
        if (errno == ENOENT && row->path && access(row->path, F_OK) >= 0)
                return 1;
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_UPLOAD, "The file of upload %s is gone: %s",
                        row->id, strerror(errno));
}

/* A copy for the thread, whose row may not change. */
static int new_verification(Manager *m, const UploadRow *row, int fd, UploadVerification **ret) {
        UploadVerification *v = new0(UploadVerification, 1);
        int r;

        if (!v) {
                safe_close(fd);
                return -ENOMEM;
        }
        v->manager = m;
        v->fd = fd;
        r = store_upload_get(m->store, row->id, &v->row);
        if (r < 0) {
                verification_free(v);
                return r;
        }
        *ret = v;
        return 0;
}

static int start(Manager *m, UploadRow *row, int fd, sd_bus_message *message, sd_bus_error *error) {
        UploadVerification *v;
        int r;

        row->state = UPLOAD_VERIFYING;
        row->updated_at = m->clock();
        r = store_upload_update(m->store, row);
        if (r < 0) {
                safe_close(fd);
                return upload_store_failed(m, r, error);
        }
        r = new_verification(m, row, fd, &v);
        if (r < 0)
                return r;
        if (message)
                r = sd_event_add_time_relative(
                                m->event, &v->timer, CLOCK_MONOTONIC, ANSWER_TIME, 0, on_timer, v);
        if (r >= 0)
                r = thread_call(m->file_calls, hash_file, on_hashed, verification_free, v);
        if (r < 0) {
                sd_event_source_disable_unref(v->timer);
                verification_free(v);
                return r;
        }
        v->message = sd_bus_message_ref(message);
        LIST_INSERT_HEAD(&m->verifications, v, verifications);
        return 1;
}

int upload_verify_start(Manager *m, UploadRow *row, sd_bus_message *message, sd_bus_error *error) {
        int fd, r = open_part(m, row, &fd, error);

        if (r < 0)
                return r;
        if (r > 0) {
                r = manager_publish_upload(m, row, error);
                if (r < 0 || !message)
                        return r < 0 ? r : 1;
                _cleanup_free_ char *text = upload_text(m, row);
                return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
        }
        r = start(m, row, fd, message, error);
        return r == -EBUSY ? files_busy(error) : r;
}
