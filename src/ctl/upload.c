/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/upload.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "ctl/progress-bar.h"
#include "ctl/text.h"
#include "ctl/upload-digest.h"
#include "ctl/upload-state.h"
#include "ctl/view.h"
#include "json/json-table.h"

#define CHUNK_MAX ((uint64_t) 256 << 20)
#define CHUNKS_MAX 100000u
#define DRAW_EVERY (200 * USEC_PER_MSEC)
#define VERIFY_PAUSE 1u /* seconds between two looks at an upload that is being verified */

/* Seconds between two tries, if the other side says nothing else. */
static const unsigned pauses[] = { 1, 1, 2, 4, 8, 15, 30 };

typedef struct Upload {
        UploadTarget *target;
        const char *path, *name;
        int fd;
        struct stat st;
        UploadState state;
        json_t *json; /* as the other side has it */
        uint64_t chunk_size, n_chunks, index;
        bool *received;
        char *buffer;
        size_t size; /* of the chunk in the buffer */
        struct sha256_ctx context; /* of the whole file */
        char digest[UPLOAD_DIGEST_SIZE];
        uint64_t done, sent_before; /* bytes; what was there before this process */
        usec_t started_at, drawn_at;
} Upload;

static void upload_done(Upload *u) {
        safe_close(u->fd);
        upload_state_done(&u->state);
        json_decref(u->json);
        free(u->received);
        free(u->buffer);
}

/* --- progress -------------------------------------------------------------------------------------- */

static bool draws(const Upload *u) {
        const Ctl *ctl = u->target->ctl;

        return ctl->err.cursor && !ctl->args.quiet;
}

static void erase(Upload *u) {
        if (u->drawn_at > 0)
                fputs("\r\x1b[K", stderr);
        u->drawn_at = 0;
}

static void draw(Upload *u, uint64_t done) {
        Ctl *ctl = u->target->ctl;
        usec_t now = now_monotonic();
        Progress p = { .phase = "upload", .done = done, .total = (uint64_t) u->st.st_size };
        _cleanup_free_ char *line = NULL;

        if (!draws(u) || (u->drawn_at > 0 && now - u->drawn_at < DRAW_EVERY))
                return;
        p.percent = 100.0 * (double) done / (double) p.total;
        if (now > u->started_at + USEC_PER_SEC / 2 && done > u->sent_before)
                p.rate = (uint64_t) ((double) (done - u->sent_before) * (double) USEC_PER_SEC /
                                (double) (now - u->started_at));
        terminal_query(STDERR_FILENO, &ctl->err);
        line = progress_line(&p, ctl->err.width - 1, ctl->err.utf8);
        erase(u);
        fputs(strempty(line), stderr);
        fflush(stderr);
        u->drawn_at = now;
}

static void on_progress(uint64_t sent, void *userdata) {
        Upload *u = userdata;

        draw(u, u->done + MIN(sent, u->size));
}

/* --- calls that are tried again -------------------------------------------------------------------- */

typedef int (*upload_call)(Upload *u, json_t **ret);

static int call_create(Upload *u, json_t **ret) {
        _cleanup_json_ json_t *definition =
                        json_pack("{s:s, s:I}", "filename", u->name, "size", (json_int_t) u->st.st_size);

        if (!definition) {
                log_error("The name must be text in UTF-8.");
                return EXIT_USAGE;
        }
        return u->target->ops->create(u->target, definition, ret);
}

static int call_get(Upload *u, json_t **ret) {
        return u->target->ops->get(u->target, u->state.upload_id, ret);
}

static int call_send(Upload *u, json_t **ret) {
        return u->target->ops->send(u->target, u->state.upload_id, u->index, u->buffer, u->size);
}

static int call_complete(Upload *u, json_t **ret) {
        return u->target->ops->complete(u->target, u->state.upload_id, u->digest, ret);
}

static void pause_for(const Upload *u, unsigned seconds) {
        usec_t length = seconds * u->target->pause_unit;
        const struct timespec t = { .tv_sec = (time_t) (length / USEC_PER_SEC),
                .tv_nsec = (long) (length % USEC_PER_SEC * 1000) };

        (void) nanosleep(&t, NULL);
}

/* An ExitStatus or UPLOAD_GONE. */
static int call(Upload *u, upload_call func, json_t **ret) {
        UploadTarget *t = u->target;

        for (size_t i = 0;; i++) {
                int r;

                t->pause = 0;
                t->last = i >= ELEMENTSOF(pauses);
                r = func(u, ret);
                if (r != UPLOAD_AGAIN)
                        return r;
                erase(u);
                if (i == 1 && !t->ctl->args.quiet)
                        log_info("The upload was interrupted; trying again.");
                pause_for(u, MAX(t->pause, pauses[i]));
        }
}

/* The same for an upload that exists. */
static int call_existing(Upload *u, upload_call func, json_t **ret) {
        int r = call(u, func, ret);

        if (r != UPLOAD_GONE)
                return r;
        erase(u);
        log_error("The upload failed: it does not exist any more. Run the command again to start anew.");
        upload_state_remove(&u->state);
        return EXIT_NO_SUCH_JOB;
}

/* --- what the other side has ----------------------------------------------------------------------- */

static int malformed(Upload *u) {
        log_error("The upload failed: %s is not described as hyper does.", u->name);
        return EXIT_OTHER;
}

/* The chunks that are there. */
static bool take_received(Upload *u, json_t *json) {
        json_t *list = json_object_get(json, "received_chunks"), *chunk;
        size_t i;

        json_array_foreach(list, i, chunk) {
                json_int_t index = json_is_integer(chunk) ? json_integer_value(chunk) : -1;

                if (index < 0 || (uint64_t) index >= u->n_chunks)
                        return false;
                u->received[index] = true;
        }
        return json_is_array(list);
}

/* Takes over @json, which is not trusted. An ExitStatus. */
static int take_upload(Upload *u, json_t *json) {
        uint64_t size = view_number(json, "size"), chunk_size = view_number(json, "chunk_size");

        json_decref(u->json);
        u->json = json;
        if (size != (uint64_t) u->st.st_size || chunk_size == 0 || chunk_size > CHUNK_MAX)
                return malformed(u);
        u->chunk_size = chunk_size;
        u->n_chunks = (size + chunk_size - 1) / chunk_size;
        if (u->n_chunks > CHUNKS_MAX)
                return malformed(u);
        u->received = new0(bool, u->n_chunks);
        u->buffer = malloc(MIN(chunk_size, size));
        if (!u->received || !u->buffer)
                return log_oom(), EXIT_OTHER;
        return take_received(u, json) ? EXIT_OK : malformed(u);
}

/* Removes one that cannot be resumed; it would expire otherwise. */
static void drop(Upload *u, const char *id) {
        u->target->last = false; /* no error message */
        (void) u->target->ops->drop(u->target, id);
}

/* The one that was begun before. EXIT_OK, UPLOAD_GONE if there is none, or another ExitStatus. */
static int resume(Upload *u) {
        _cleanup_json_ json_t *json = NULL;
        int r;

        if (u->state.stale_id)
                drop(u, u->state.stale_id);
        if (!u->state.upload_id)
                return UPLOAD_GONE;
        r = call(u, call_get, &json);
        if (r != EXIT_OK)
                return r;
        if (streq(view_string(json, "status"), "failed")) {
                drop(u, u->state.upload_id);
                return UPLOAD_GONE;
        }
        if (!u->target->ctl->args.quiet)
                log_info("The upload of %s is resumed: %zu of %" PRIu64 " chunks are there.", u->name,
                                json_array_size(json_object_get(json, "received_chunks")),
                                view_number(json, "total_chunks"));
        return take_upload(u, TAKE_PTR(json));
}

static int begin(Upload *u) {
        _cleanup_json_ json_t *json = NULL;
        int r = resume(u);

        if (r != UPLOAD_GONE)
                return r;
        r = call(u, call_create, &json);
        if (r == UPLOAD_GONE)
                return malformed(u);
        if (r != EXIT_OK)
                return r;
        r = upload_state_write(&u->state, view_string(json, "upload_id"), u->name, &u->st);
        if (r == -EBADMSG)
                return malformed(u);
        if (r < 0)
                return log_error_errno(r, "Failed to write %s: %m", u->state.path), EXIT_OTHER;
        return take_upload(u, TAKE_PTR(json));
}

/* --- the chunks ------------------------------------------------------------------------------------ */

static int changed(Upload *u) {
        erase(u);
        log_error("%s was changed while it was uploaded. Run the command again when it is complete.",
                        u->path);
        drop(u, u->state.upload_id);
        upload_state_remove(&u->state);
        return EXIT_OTHER;
}

static int send_chunk(Upload *u) {
        uint64_t offset = u->index * u->chunk_size;
        int r;

        u->size = (size_t) MIN(u->chunk_size, (uint64_t) u->st.st_size - offset);
        r = pread_full(u->fd, u->buffer, u->size, offset);
        if (r == -EIO && lseek(u->fd, 0, SEEK_END) < u->st.st_size)
                return changed(u);
        if (r < 0) {
                erase(u);
                return log_error_errno(r, "Failed to read %s: %m", u->path), EXIT_OTHER;
        }
        sha256_update(&u->context, u->size, (const uint8_t *) u->buffer);
        if (!u->received[u->index]) {
                r = call_existing(u, call_send, NULL);
                if (r != EXIT_OK)
                        return r;
        } else
                u->sent_before += u->size;
        u->done += u->size;
        draw(u, u->done);
        return EXIT_OK;
}

static int send_all(Upload *u) {
        struct stat st;
        int status = EXIT_OK;

        sha256_init(&u->context);
        u->started_at = now_monotonic();
        for (u->index = 0; u->index < u->n_chunks && status == EXIT_OK; u->index++)
                status = send_chunk(u);
        if (status != EXIT_OK)
                return status;
        upload_digest_text(&u->context, u->digest);
        if (fstat(u->fd, &st) < 0 || st.st_size != u->st.st_size ||
                        st.st_mtim.tv_sec != u->st.st_mtim.tv_sec ||
                        st.st_mtim.tv_nsec != u->st.st_mtim.tv_nsec)
                return changed(u);
        return EXIT_OK;
}

/* --- the end --------------------------------------------------------------------------------------- */

static int not_verified(Upload *u, json_t *json) {
        _cleanup_free_ char *text = text_escape(view_string(json, "error"), u->target->ctl->err.utf8);

        log_error("The upload failed: %s. Run the command again to start anew.",
                        isempty(text) ? "its SHA-256 is another one there" : text);
        drop(u, u->state.upload_id);
        upload_state_remove(&u->state);
        return EXIT_OTHER;
}

static int complete(Upload *u, json_t **ret) {
        _cleanup_json_ json_t *json = NULL;
        int status = call_existing(u, call_complete, &json);

        erase(u);
        while (status == EXIT_OK && streq(view_string(json, "status"), "verifying")) {
                pause_for(u, VERIFY_PAUSE);
                json_decref(json);
                json = NULL;
                status = call_existing(u, call_get, &json);
        }
        if (status != EXIT_OK)
                return status;
        if (streq(view_string(json, "status"), "failed"))
                return not_verified(u, json);
        if (!*view_string(json, "path"))
                return malformed(u);
        upload_state_remove(&u->state);
        *ret = TAKE_PTR(json);
        return EXIT_OK;
}

static int open_file(Upload *u) {
        u->fd = open(u->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (u->fd < 0 || fstat(u->fd, &u->st) < 0)
                return log_error_errno(-errno, "Failed to open %s: %m", u->path), EXIT_REFUSED;
        if (S_ISREG(u->st.st_mode) && u->st.st_size > 0)
                return EXIT_OK;
        log_error("%s cannot be uploaded: it %s.", u->path,
                        S_ISREG(u->st.st_mode) ? "is empty" : "is not a regular file");
        return EXIT_REFUSED;
}

static int open_state(Upload *u) {
        _cleanup_free_ char *whole = realpath(u->path, NULL);
        int r = whole ? upload_state_open(&u->state, u->target->place, whole, u->name, &u->st) : -errno;

        if (r == -EBUSY) {
                log_error("%s is being uploaded by another hyperctl.", u->path);
                return EXIT_REFUSED;
        }
        if (r < 0)
                return log_error_errno(r, "Failed to open the file that an upload is resumed with: %m"),
                       EXIT_OTHER;
        return EXIT_OK;
}

int upload_file(UploadTarget *t, const char *path, const char *name, json_t **ret) {
        _cleanup_(upload_done) Upload u = { .target = t, .path = path, .fd = -EBADF };
        const char *slash = strrchr(path, '/');
        int status;

        u.state.fd = -EBADF;
        u.name = name ? name : slash ? slash + 1 : path;
        t->progress = on_progress;
        t->userdata = &u;
        status = open_file(&u);
        if (status == EXIT_OK)
                status = open_state(&u);
        if (status == EXIT_OK)
                status = begin(&u);
        if (status == EXIT_OK)
                status = send_all(&u);
        return status == EXIT_OK ? complete(&u, ret) : status;
}
