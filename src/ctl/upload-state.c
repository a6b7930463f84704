/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/upload-state.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/file.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "ctl/upload-digest.h"
#include "json/json-table.h"

#define TEXT_MAX ((size_t) 4096)

void upload_state_done(UploadState *s) {
        safe_close(s->fd);
        free(s->path);
        free(s->upload_id);
        free(s->stale_id);
        *s = (UploadState){ .fd = -EBADF };
}

/* 0 with *ret NULL if there is none. */
static int state_directory(char **ret) {
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

        if (state && *state == '/')
                *ret = strprintf("%s/hyper/uploads", state);
        else if (home && *home == '/')
                *ret = strprintf("%s/.local/state/hyper/uploads", home);
        else {
                *ret = NULL;
                return 0;
        }
        return *ret ? 0 : -ENOMEM;
}

static int make_path(const char *place, const char *file, char **ret) {
        _cleanup_free_ char *directory = NULL;
        char hex[UPLOAD_DIGEST_SIZE];
        struct sha256_ctx context;
        int r = state_directory(&directory);

        *ret = NULL;
        if (r < 0 || !directory)
                return r;
        r = mkdir_parents(directory, 0700);
        if (r < 0)
                return r;
        sha256_init(&context);
        sha256_update(&context, strlen(place) + 1, (const uint8_t *) place);
        sha256_update(&context, strlen(file), (const uint8_t *) file);
        upload_digest_text(&context, hex);
        *ret = strprintf("%s/%.32s", directory, hex);
        return *ret ? 0 : -ENOMEM;
}

/* Opens and locks it. 1: it was removed in the meantime. */
static int open_locked(UploadState *s) {
        struct stat st;

        s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (s->fd < 0)
                return -errno;
        if (flock(s->fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (fstat(s->fd, &st) < 0)
                return -errno;
        if (st.st_nlink > 0)
                return 0;
        s->fd = safe_close(s->fd);
        return 1;
}

/* The file, as it is; all of it is compared. */
static json_t *identity(const char *name, const struct stat *st) {
        return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", name, "device", (json_int_t) st->st_dev,
                        "inode", (json_int_t) st->st_ino, "size", (json_int_t) st->st_size, "seconds",
                        (json_int_t) st->st_mtim.tv_sec, "nanoseconds", (json_int_t) st->st_mtim.tv_nsec);
}

/* IDs become a part of URLs. */
static bool id_is_valid(const char *id) {
        return *id && strlen(id) <= 64 &&
                        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
                        strlen(id);
}

/* What cannot be read is ignored: it was written by a hyperctl that was killed. */
static int read_state(UploadState *s, const char *name, const struct stat *st) {
        _cleanup_json_ json_t *state = NULL, *now = identity(name, st);
        char text[TEXT_MAX];
        ssize_t n = pread(s->fd, text, sizeof(text), 0);
        const char *id;

        if (n < 0)
                return -errno;
        if (!now)
                return -ENOMEM;
        state = json_loadb(text, (size_t) n, 0, NULL);
        id = json_string_value(json_object_get(state, "upload_id"));
        if (!id || !id_is_valid(id))
                return 0;
        return free_and_strdup(
                        json_equal(json_object_get(state, "file"), now) ? &s->upload_id : &s->stale_id, id);
}

int upload_state_open(UploadState *s, const char *place, const char *file, const char *name,
                const struct stat *st) {
        _cleanup_upload_state_ UploadState new = { .fd = -EBADF };
        int r = make_path(place, file, &new.path);

        if (r >= 0 && new.path) {
                do
                        r = open_locked(&new);
                while (r > 0);
                if (r >= 0)
                        r = read_state(&new, name, st);
        }
        if (r < 0)
                return r;
        *s = new;
        new = (UploadState){ .fd = -EBADF };
        return 0;
}

int upload_state_write(UploadState *s, const char *upload_id, const char *name, const struct stat *st) {
        _cleanup_json_ json_t *state = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        if (!id_is_valid(upload_id))
                return -EBADMSG;
        r = free_and_strdup(&s->upload_id, upload_id);
        if (r < 0 || !s->path)
                return r;
        state = json_pack("{s:s, s:o}", "upload_id", upload_id, "file", identity(name, st));
        text = state ? json_dumps(state, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        if (ftruncate(s->fd, 0) < 0)
                return -errno;
        return pwrite_full(s->fd, text, strlen(text), 0);
}

void upload_state_remove(UploadState *s) {
        s->upload_id = mfree(s->upload_id);
        if (s->path)
                (void) unlink(s->path);
}
