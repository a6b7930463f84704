/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "guest/guest.h"

#define FILES_MAX 100u
#define SELINUX_LABEL "security.selinux"
/* What one call sends to the appliance. */
#define CHUNK ((size_t) 1024 * 1024)

void guest_done(Guest *guest) {
        if (guest->g)
                guestfs_close(guest->g);
        changes_done(&guest->changes);
        changes_done(&guest->needs);
        json_decref(guest->clean);
        json_decref(guest->labels);
        json_decref(guest->uuids);
        json_decref(guest->types);
        strv_free(guest->disks);
        strv_free(guest->partitions);
        strv_free(guest->volumes);
        strv_free(guest->arrays);
        strv_free(guest->encrypted);
        strv_free(guest->filesystems);
        device_names_done(&guest->names);
        windows_free(guest->windows);
        json_decref(guest->kernels);
        free(guest->root);
        free(guest->code);
        free(guest->message);
        *guest = (Guest){};
}

int guest_fail(Guest *guest, int error, const char *code, const char *format, ...) {
        va_list ap;

        if (guest->message)
                return -abs(error);
        va_start(ap, format);
        guest->message = vstrprintf(format, ap);
        va_end(ap);
        guest->code = strdup(code);
        return guest->message && guest->code ? -abs(error) : -ENOMEM;
}

int guest_fail_last(Guest *guest, const char *code, const char *what) {
        int error = guestfs_last_errno(guest->g);

        if (error == ENOSPC)
                code = "no_space_in_guest";
        else if (error == EROFS)
                code = "guest_read_only";
        else
                error = EIO;
        return guest_fail(guest, error, code, "%s failed: %s", what, strna(guestfs_last_error(guest->g)));
}

int guest_warn_last(Guest *guest, const char *step, const char *what) {
        return changes_warn(
                        &guest->changes, step, "%s failed: %s", what, strna(guestfs_last_error(guest->g)));
}

void guest_progress(const char *step, unsigned percent) {
        printf("{\"event\": \"progress\", \"step\": \"%s\", \"percent\": %u}\n", step, percent);
        fflush(stdout);
}

void guest_emulated(void) {
        puts("{\"event\": \"emulated\"}");
        fflush(stdout);
}

void guest_list_freep(char ***list) {
        *list = strv_free(*list);
}

const char *guest_ask_once(Guest *guest, json_t **answers, const char *device,
                char *(*ask)(guestfs_h *g, const char *device)) {
        json_t *answer;

        if (!*answers)
                *answers = json_object();
        answer = json_object_get(*answers, device);
        if (!answer) {
                _cleanup_free_ char *text = ask(guest->g, device);
                answer = text && utf8_is_valid(text) ? json_string(text) : json_null();
                if (json_object_set_new(*answers, device, answer) < 0)
                        return NULL;
        }
        return json_string_value(answer);
}

const char *guest_label(Guest *guest, const char *disk) {
        return guest_ask_once(guest, &guest->labels, disk, guestfs_part_get_parttype);
}

const char *guest_uuid(Guest *guest, const char *device) {
        return guest_ask_once(guest, &guest->uuids, device, guestfs_vfs_uuid);
}

bool guest_is_file(Guest *guest, const char *path) {
        return guestfs_is_file_opts(guest->g, path, GUESTFS_IS_FILE_OPTS_FOLLOWSYMLINKS, 1, -1) > 0;
}

bool guest_is_directory(Guest *guest, const char *path) {
        return guestfs_is_dir_opts(guest->g, path, GUESTFS_IS_DIR_OPTS_FOLLOWSYMLINKS, 1, -1) > 0;
}

/* guestfs_read_file() would send it in many small messages, which takes long under emulation. */
static int read_pieces(Guest *guest, const char *path, char *data, size_t length, size_t *ret) {
        size_t done = 0;

        while (done < length) {
                size_t n = 0;
                char *piece = guestfs_pread(
                                guest->g, path, (int) MIN(length - done, CHUNK), (int64_t) done, &n);

                if (!piece)
                        return -EIO;
                n = MIN(n, length - done);
                memcpy(data + done, piece, n);
                free(piece);
                if (n == 0) /* it ends before */
                        break;
                done += n;
        }
        *ret = done;
        return 0;
}

int guest_read(Guest *guest, const char *path, size_t max, char **ret, size_t *ret_size) {
        size_t size = 0;

        if (!guest_is_file(guest, path))
                return -ENOENT;
        int64_t length = guestfs_filesize(guest->g, path);
        if (length < 0)
                return -EIO;
        if ((uint64_t) length > max)
                return -EFBIG;
        char *data = malloc((size_t) length + 1);
        if (!data)
                return -ENOMEM;
        int r = read_pieces(guest, path, data, (size_t) length, &size);
        if (r < 0) {
                free(data);
                return r;
        }
        data[size] = 0;
        *ret = data;
        if (ret_size)
                *ret_size = size;
        return 0;
}

/* As the kernel does it for a program without a policy of its own. */
static int label_like_directory(Guest *guest, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = strndup(path, slash == path ? 1 : (size_t) (slash - path));
        size_t size;

        if (!directory)
                return -ENOMEM;
        char *label = guestfs_lgetxattr(guest->g, directory, SELINUX_LABEL, &size);
        if (label && size > 0 && memchr(label, 0, size) == label + size - 1)
                (void) guestfs_lsetxattr(guest->g, SELINUX_LABEL, label, (int) size - 1, path);
        free(label);
        return 0;
}

int guest_rename(Guest *guest, const char *from, const char *to, const char *what) {
        return guest->look || guestfs_mv(guest->g, from, to) >= 0
                        ? 0
                        : guest_fail_last(guest, "guest_write_failed", what);
}

int guest_copy(Guest *guest, const char *from, const char *to, const char *what) {
        return guest->look || guestfs_cp(guest->g, from, to) >= 0
                        ? 0
                        : guest_fail_last(guest, "guest_write_failed", what);
}

int guest_make_directory(Guest *guest, const char *path) {
        _cleanup_free_ char *what = strprintf("Making the directory %s", path);

        if (!what)
                return -ENOMEM;
        return guest->look || guestfs_mkdir_p(guest->g, path) >= 0
                        ? 0
                        : guest_fail_last(guest, "guest_write_failed", what);
}

int guest_write(Guest *guest, const char *path, const char *data, size_t size) {
        if (guest->look)
                return 0;
        bool fresh = guestfs_exists(guest->g, path) == 0;
        size_t done = MIN(size, CHUNK);
        int k = guestfs_write(guest->g, path, data, done);

        while (k >= 0 && done < size) {
                size_t n = MIN(size - done, CHUNK);
                k = guestfs_write_append(guest->g, path, data + done, n);
                done += n;
        }
        if (k >= 0 && fresh)
                k = guestfs_chmod(guest->g, 0644, path);
        if (k < 0) {
                _cleanup_free_ char *what = strprintf("Writing %s", path);
                return what ? guest_fail_last(guest, "guest_write_failed", what) : -ENOMEM;
        }
        return fresh ? label_like_directory(guest, path) : 0;
}

static int edit_file(Guest *guest, const char *step, const char *path, guest_editor editor) {
        _cleanup_free_ char *text = NULL, *edited = NULL;
        size_t size;
        int r = guest_read(guest, path, GUEST_FILE_MAX, &text, &size);

        if (r == -ENOENT)
                return 0;
        if (r == -EFBIG)
                return changes_warn(&guest->changes, step,
                                "%s is larger than %zu bytes, and was left as it is", path, GUEST_FILE_MAX);
        if (r < 0)
                return guest_warn_last(guest, step, path);
        if (strlen(text) != size)
                return changes_warn(&guest->changes, step, "%s is no text, and was left as it is", path);
        r = editor(step, path, text, guest, &edited);
        return r > 0 ? guest_write(guest, path, edited, strlen(edited)) : r;
}

int guest_edit(Guest *guest, const char *step, const char *pattern, guest_editor editor) {
        _cleanup_guest_list_ char **paths = guestfs_glob_expand(guest->g, pattern);
        size_t n = 0;

        STRV_FOREACH(path, paths) {
                if (n++ == FILES_MAX)
                        return changes_warn(&guest->changes, step, "More than %u files match %s", FILES_MAX,
                                        pattern);
                int r = edit_file(guest, step, *path, editor);
                if (r < 0)
                        return r;
        }
        return 0;
}
