/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/upload-bus.h"

#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"

#define CALL_TIMEOUT (180 * USEC_PER_SEC) /* polkit may ask a person */
#define PIECE ((size_t) 1024 * 1024) /* between two notes of progress */

typedef struct BusTarget {
        UploadTarget target;
        sd_bus *bus;
        char owner[32];
} BusTarget;

static bool may_succeed_later(const sd_bus_error *error, bool ending) {
        return client_exit_status(error->name) == EXIT_UNAVAILABLE ||
                        sd_bus_error_has_name(error, HYPER_BUS_ERROR_CHUNK_BUSY) ||
                        /* the manager was restarted since BeginChunk */
                        (ending && sd_bus_error_has_name(error, HYPER_BUS_ERROR_WRONG_STATE));
}

static int fail(BusTarget *b, const sd_bus_error *error, int r, bool ending) {
        if (sd_bus_error_has_name(error, HYPER_BUS_ERROR_NO_SUCH_UPLOAD))
                return UPLOAD_GONE;
        if (!b->target.last &&
                        (sd_bus_error_is_set(error) ? may_succeed_later(error, ending) : r != -ENOMEM))
                return UPLOAD_AGAIN;
        return client_failure(b->target.ctl, error, r, "The upload");
}

/* Calls @method; the bus may have been restarted since the last call. */
static int call(BusTarget *b, sd_bus_message **ret, const char *method, const char *types, ...) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *m = NULL;
        va_list ap;
        int r = 0;

        if (sd_bus_is_open(b->bus) <= 0) {
                b->bus = sd_bus_flush_close_unref(b->bus);
                r = client_open(b->target.ctl, &b->bus);
        }
        if (r >= 0)
                r = sd_bus_message_new_method_call(
                                b->bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, method);
        if (r >= 0) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
        }
        if (r >= 0)
                r = sd_bus_call(b->bus, m, CALL_TIMEOUT, &error, ret);
        return r < 0 ? fail(b, &error, r, streq(method, "EndChunk")) : EXIT_OK;
}

static int read_upload(BusTarget *b, int status, sd_bus_message *reply, json_t **ret) {
        return status == EXIT_OK ? client_read_json(b->target.ctl, reply, "The upload", ret) : status;
}

static int bus_create(UploadTarget *t, json_t *definition, json_t **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = json_dumps(definition, JSON_COMPACT);
        BusTarget *b = (BusTarget *) t;
        int status;

        if (!text)
                return log_oom(), EXIT_OTHER;
        status = call(b, &reply, "CreateUpload", "ss", text, b->owner);
        return read_upload(b, status, reply, ret);
}

static int bus_get(UploadTarget *t, const char *id, json_t **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        BusTarget *b = (BusTarget *) t;
        int status;

        status = call(b, &reply, "GetUpload", "ss", id, b->owner);
        return read_upload(b, status, reply, ret);
}

/* In pieces, so that progress can be shown. */
static int write_chunk(UploadTarget *t, int fd, const char *data, size_t size, uint64_t offset) {
        for (size_t done = 0, n; done < size; done += n) {
                int r;

                n = MIN(size - done, PIECE);
                r = pwrite_full(fd, data + done, n, offset + done);
                if (r < 0)
                        return r;
                t->progress(done + n, t->userdata);
        }
        return 0;
}

static int write_to(BusTarget *b, sd_bus_message *begun, uint64_t index, const void *data, size_t size) {
        uint64_t offset, length;
        int fd, r = sd_bus_message_read(begun, "htt", &fd, &offset, &length);

        if (r >= 0 && length != size) {
                log_error("The upload failed: chunk %" PRIu64 " has %" PRIu64 " bytes there, and %zu here.",
                                index, length, size);
                return EXIT_OTHER;
        }
        if (r >= 0)
                r = write_chunk(&b->target, fd, data, size, offset);
        return r < 0 ? (log_error_errno(r, "Failed to write chunk %" PRIu64 ": %m", index), EXIT_OTHER)
                     : EXIT_OK;
}

static int bus_send(UploadTarget *t, const char *id, uint64_t index, const void *data, size_t size) {
        _cleanup_message_ sd_bus_message *begun = NULL, *ended = NULL;
        BusTarget *b = (BusTarget *) t;
        int status = call(b, &begun, "BeginChunk", "sst", id, b->owner, index);

        if (status == EXIT_OK)
                status = write_to(b, begun, index, data, size);
        return status == EXIT_OK ? call(b, &ended, "EndChunk", "stb", id, index, 1) : status;
}

static int bus_complete(UploadTarget *t, const char *id, const char *sha256, json_t **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        BusTarget *b = (BusTarget *) t;
        int status;

        status = call(b, &reply, "CompleteUpload", "sss", id, b->owner, sha256);
        return read_upload(b, status, reply, ret);
}

static int bus_drop(UploadTarget *t, const char *id) {
        BusTarget *b = (BusTarget *) t;

        return call(b, NULL, "DeleteUpload", "ss", id, b->owner);
}

static UploadTarget *bus_free(UploadTarget *t) {
        BusTarget *b = (BusTarget *) t;

        sd_bus_flush_close_unref(b->bus);
        free(t->place);
        free(b);
        return NULL;
}

static const UploadOps ops = {
        .create = bus_create,
        .get = bus_get,
        .send = bus_send,
        .complete = bus_complete,
        .drop = bus_drop,
        .free = bus_free,
};

int upload_bus_new(Ctl *ctl, UploadTarget **ret) {
        _cleanup_(upload_target_freep) UploadTarget *t = NULL;
        BusTarget *b;
        int status;

        if (ctl->args.transport == TRANSPORT_REMOTE) {
                log_error("A file cannot be uploaded over ssh: no file descriptor can be passed. Use "
                          "--server= instead of --host=.");
                return EXIT_USAGE;
        }
        b = new0(BusTarget, 1);
        if (!b)
                return log_oom(), EXIT_OTHER;
        t = &b->target;
        t->ops = &ops;
        t->ctl = ctl;
        t->pause_unit = USEC_PER_SEC;
        t->place = strprintf("machine:%s", strempty(ctl->args.host));
        (void) snprintf(b->owner, sizeof(b->owner), "user:%u", (unsigned) getuid());
        if (!t->place)
                return log_oom(), EXIT_OTHER;
        ctl->action = "org.hyper1.manage-files";
        status = client_connect(ctl, &b->bus);
        if (status == EXIT_OK)
                *ret = TAKE_PTR(t);
        return status;
}
