/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/upload-json.h"

#include "basic/string-util.h"
#include "spec/disk-format.h"

static int add_chunks(json_t *json, const UploadRow *row, const uint64_t *chunks, size_t n) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < n; i++)
                if (chunks[i] < upload_n_chunks(row) &&
                                json_array_append_new(list, json_integer((json_int_t) chunks[i])) < 0)
                        return json_decref(list), -ENOMEM;
        return json_object_set_new(json, "received_chunks", list) < 0 ? -ENOMEM : 0;
}

static uint64_t count_bytes(const UploadRow *row, const uint64_t *chunks, size_t n) {
        uint64_t bytes = 0;

        for (size_t i = 0; i < n; i++)
                if (chunks[i] < upload_n_chunks(row))
                        bytes += upload_chunk_length(row, chunks[i]);
        return bytes;
}

static const char *name_of(const char *path) {
        return path ? strrchr(path, '/') + 1 : NULL;
}

static json_t *describe(const UploadRow *row, uint64_t received) {
        bool completed = row->state == UPLOAD_COMPLETED;
        DiskFormat format = disk_format_from_name(row->filename);

        return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:s, s:b, s:s?, s:s?, s:s, s:s?, s:s?, s:o, "
                         "s:o, s:o}",
                        "upload_id", row->id, "filename", row->filename, "size", (json_int_t) row->size,
                        "chunk_size", (json_int_t) row->chunk_size, "total_chunks",
                        (json_int_t) upload_n_chunks(row), "received_bytes", (json_int_t) received,
                        "progress", 100.0 * (double) received / (double) row->size, "status",
                        upload_state_to_string(row->state), "complete", completed, "path",
                        completed ? row->path : NULL, "name", completed ? name_of(row->path) : NULL,
                        "format", format == FORMAT_PROBE ? "iso" : disk_format_to_string(format), "sha256",
                        row->sha256, "error", row->error, "created_at", json_time(row->created_at),
                        "updated_at", json_time(row->updated_at), "expires_at",
                        json_time(row->updated_at + UPLOAD_EXPIRES_AFTER));
}

int store_upload_json(Store *s, const UploadRow *row, uint64_t chunks_max, json_t **ret) {
        _cleanup_free_ uint64_t *chunks = NULL;
        _cleanup_json_ json_t *json = NULL;
        size_t n = 0;
        int r = store_upload_chunks(s, row->id, &chunks, &n);

        if (r < 0)
                return r;
        json = describe(row, count_bytes(row, chunks, n));
        if (!json)
                return -ENOMEM;
        r = upload_n_chunks(row) <= chunks_max ? add_chunks(json, row, chunks, n) : 0;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(json);
        return 0;
}
