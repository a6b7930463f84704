/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/upload.h"

#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/caller.h"
#include "manager/definition.h"
#include "shared/error-table.h"
#include "spec/disk-format.h"
#include "store/upload-json.h"

#define DEFINITION_MAX ((size_t) 8 * 1024)
#define NAME_MAX_LENGTH 200u
#define SHA256_LENGTH 64u
#define HEX "0123456789abcdef"
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
/* A name with a number: "web.vmdk", "web-1.vmdk", …. */
#define NUMBERS_MAX 10000u

/* --- the definition -------------------------------------------------------------------------------- */

static const JsonField definition_fields[] = {
        { "filename", JSON_FIELD_STRING, offsetof(UploadDefinition, filename),
                        JSON_REQUIRED | JSON_NONEMPTY },
        { "size", JSON_FIELD_UINT64, offsetof(UploadDefinition, size), JSON_REQUIRED, .min = 1,
                        .max = UPLOAD_SIZE_MAX },
        { "chunk_size", JSON_FIELD_UINT64, offsetof(UploadDefinition, chunk_size), JSON_NULLABLE,
                        .min = UPLOAD_CHUNK_SIZE_MIN, .max = UPLOAD_CHUNK_SIZE_MAX },
        { "sha256", JSON_FIELD_STRING, offsetof(UploadDefinition, sha256), JSON_NULLABLE },
        {},
};

void upload_definition_done(UploadDefinition *d) {
        json_table_done(definition_fields, d);
        *d = (UploadDefinition){};
}

bool upload_sha256_normalize(char *text) {
        for (char *p = text; *p; p++)
                if (*p >= 'A' && *p <= 'F')
                        *p = (char) (*p - 'A' + 'a');
        return strlen(text) == SHA256_LENGTH && strspn(text, HEX) == SHA256_LENGTH;
}

static bool has_extension(const char *name) {
        const char *dot = strrchr(name, '.');

        return dot && dot != name &&
                        (disk_format_from_name(name) != FORMAT_PROBE || strcasecmp(dot, ".iso") == 0);
}

/* The last part, without what a shell or a terminal would take for something else. */
static int reduce_name(char **name, JsonErrors *errors) {
        const char *last = *name + strlen(*name);

        while (last > *name && last[-1] != '/' && last[-1] != '\\')
                last--;
        char *copy = strdup(last);
        if (!copy)
                return -ENOMEM;
        free(*name);
        *name = copy;
        for (char *p = copy; *p; p++)
                if (!strchr(NAME_CHARACTERS, *p) || (p == copy && (*p == '.' || *p == '-')))
                        *p = '_';
        if (strlen(copy) > NAME_MAX_LENGTH)
                return json_errors_add(
                                errors, "filename", "must be at most %u characters long", NAME_MAX_LENGTH);
        if (!has_extension(copy))
                return json_errors_add(errors, "filename",
                                "must end in .vmdk, .ova, .ovf, .vhd, .vhdx, .vdi, .qcow2, .raw, .img or "
                                ".iso");
        return 0;
}

static int check(UploadDefinition *d, JsonErrors *errors) {
        int r = d->filename && *d->filename ? reduce_name(&d->filename, errors) : 0;

        if (r >= 0 && d->sha256 && !upload_sha256_normalize(d->sha256))
                r = json_errors_add(errors, "sha256", "must be %u hexadecimal digits", SHA256_LENGTH);
        if (d->chunk_size == 0)
                d->chunk_size = UPLOAD_CHUNK_SIZE;
        d->chunk_size = MAX(d->chunk_size, (d->size + UPLOAD_CHUNKS_MAX - 1) / UPLOAD_CHUNKS_MAX);
        return r;
}

int upload_definition_decode(const char *text, UploadDefinition *ret, JsonErrors *errors) {
        _cleanup_(upload_definition_done) UploadDefinition d = {};
        int r = definition_read(text, DEFINITION_MAX, definition_fields, &d, errors);

        if (r > 0)
                r = check(&d, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = d;
        d = (UploadDefinition){};
        return 0;
}

char *upload_text(Manager *m, const UploadRow *row) {
        _cleanup_json_ json_t *json = NULL;

        return store_upload_json(m->store, row, UINT64_MAX, &json) >= 0 ? json_dumps(json, JSON_COMPACT)
                                                                        : NULL;
}

/* --- rows and files -------------------------------------------------------------------------------- */

int upload_store_failed(Manager *m, int r, sd_bus_error *error) {
        if (r == -ENOMEM)
                return r;
        if (r == -ENOSPC)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SPACE,
                                "There is no space on the disk for the database");
        return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                        "The uploads in the database are not available: %s", store_error_text(m->store));
}

char *upload_part_path(const Manager *m, const char *id) {
        return strprintf("%s/uploads/.parts/%s", m->state_directory, id);
}

int manager_remove_upload(Manager *m, const char *id) {
        _cleanup_free_ char *path = upload_part_path(m, id);

        if (!path)
                return -ENOMEM;
        if (unlink(path) < 0 && errno != ENOENT)
                return log_error_errno(-errno, "Failed to remove %s: %m", path);
        return store_upload_delete(m->store, id);
}

/* The file of an upload that is removed by systemd-tmpfiles(8) is missed when somebody asks for it. */
static void remove_expired(Manager *m) {
        usec_t now = m->clock();
        char *id = NULL;

        while (now > UPLOAD_EXPIRES_AFTER &&
                        store_upload_find_expired(m->store, now - UPLOAD_EXPIRES_AFTER, &id) >= 0) {
                log_info("Upload %s has expired, and is removed.", id);
                int r = manager_remove_upload(m, id);
                id = mfree(id);
                if (r < 0)
                        return;
        }
}

int upload_owner(sd_bus_message *message, const char *owner, char **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uid_t uid = 0;
        int r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "The bus does not know the user of the caller");
        *ret = uid == 0 || caller_is_api(uid) ? strdup(owner) : strprintf("user:%u", (unsigned) uid);
        return *ret ? 0 : -ENOMEM;
}

int manager_find_upload(
                Manager *m, const char *id, const char *owner, UploadRow **ret, sd_bus_error *error) {
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        int r;

        remove_expired(m);
        r = store_upload_get(m->store, id, &row);
        if (r < 0 && r != -ENOENT)
                return upload_store_failed(m, r, error);
        if (r < 0 || (*owner && !streq(owner, row->owner)))
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_UPLOAD, "There is no upload %s", id);
        *ret = TAKE_PTR(row);
        return 0;
}

int manager_check_upload_limits(Manager *m, const char *owner, uint64_t size, sd_bus_error *error) {
        uint64_t quota = m->settings->uploads.quota;
        UploadCounts counts;

        remove_expired(m);
        int r = store_uploads_count(m->store, owner, &counts);
        if (r < 0)
                return upload_store_failed(m, r, error);
        if (size > m->settings->uploads.max_size)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE,
                                "size: must be at most %" PRIu64 " (uploads.max_size)",
                                m->settings->uploads.max_size);
        if (counts.n >= UPLOADS_OPEN_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_MANY_UPLOADS,
                                "There are %u uploads that are not complete, the limit. Complete or delete "
                                "one.",
                                UPLOADS_OPEN_MAX);
        if (counts.n_owner >= UPLOADS_OPEN_OF_OWNER_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_MANY_UPLOADS,
                                "You have %u uploads that are not complete, the limit. Complete or delete "
                                "one.",
                                UPLOADS_OPEN_OF_OWNER_MAX);
        if (quota > 0 && (counts.size > quota || size > quota - counts.size))
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_MANY_UPLOADS,
                                "size: uploads that are not complete may have %" PRIu64
                                " bytes together (uploads.quota)",
                                quota);
        return 0;
}

/* --- the name -------------------------------------------------------------------------------------- */

/* "<uploads>/web.vmdk", "<uploads>/web-1.vmdk", …. */
static char *numbered_path(const Manager *m, const char *name, unsigned number) {
        int stem = (int) (strrchr(name, '.') - name);

        return number == 0 ? strprintf("%s/uploads/%s", m->state_directory, name)
                           : strprintf("%s/uploads/%.*s-%u%s", m->state_directory, stem, name, number,
                                             name + stem);
}

static int flush_directory(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The path is recorded before the file gets it, so that a repeated call knows what is its own. */
static int rename_to_free_name(Manager *m, UploadRow *row, const char *part) {
        for (unsigned i = 0; i < NUMBERS_MAX; i++) {
                char *path = numbered_path(m, row->filename, i);

                if (!path)
                        return -ENOMEM;
                free(row->path);
                row->path = path;
                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                        continue;
                int r = store_upload_update(m->store, row);
                if (r < 0)
                        return r;
                if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) >= 0)
                        return 0;
                if (errno != EEXIST)
                        return -errno;
        }
        return -EEXIST;
}

int manager_publish_upload(Manager *m, UploadRow *row, sd_bus_error *error) {
        _cleanup_free_ char *part = upload_part_path(m, row->id),
                            *directory = strprintf("%s/uploads", m->state_directory);
        int r = 0;

        if (!part || !directory)
                return -ENOMEM;
        bool renamed = row->path && access(part, F_OK) < 0 && access(row->path, F_OK) >= 0;
        if (!renamed)
                r = rename_to_free_name(m, row, part);
        if (r >= 0)
                r = flush_directory(directory);
        if (r >= 0) {
                row->state = UPLOAD_COMPLETED;
                row->error = mfree(row->error);
                row->updated_at = m->clock();
                r = store_upload_update(m->store, row);
        }
        if (r == -ENOMEM || r == -ENOSPC)
                return upload_store_failed(m, r, error);
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL, "The file cannot get the name %s: %s",
                                row->path, strerror(-r));
        log_info("Upload %s is complete: %s", row->id, row->path);
        return 0;
}
