/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-files.h"

#include <fcntl.h>
#include <strings.h>

#include "api/bus-client.h"
#include "api/http/file-reply.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-json.h"
#include "api/job-submit.h"
#include "api/v1/v1-page.h"
#include "basic/string-util.h"
#include "spec/disk-format.h"

#define PATH_LENGTH_MAX 4095u

/* --- lists ----------------------------------------------------------------------------------------- */

typedef enum FileFilter {
        FILTER_NONE,
        FILTER_VM,
} FileFilter;

static int filter_from_string(const char *s) {
        return streq(s, "vm") ? FILTER_VM : -EINVAL;
}

typedef struct BrowseQuery {
        const char *path;
        int filter;
        V1Page page;
} BrowseQuery;

const QueryField v1_browse_query[] = {
        { "path", QUERY_STRING, offsetof(BrowseQuery, path), .max = PATH_LENGTH_MAX,
                        .description = "An absolute path; without it, the directories of files.roots." },
        { "filter", QUERY_ENUM, offsetof(BrowseQuery, filter), .from_string = filter_from_string,
                        .expected = "vm", .description = "vm: only directories and disk images." },
        V1_PAGE_FIELDS(offsetof(BrowseQuery, page)),
        {},
};

static const SchemaField entry_fields[] = {
        { "name", SCHEMA_STRING },
        { "path", SCHEMA_STRING },
        { "type", SCHEMA_STRING, .description = "\"file\" or \"dir\"" },
        { "is_dir", SCHEMA_BOOLEAN },
        { "is_vm", SCHEMA_BOOLEAN, .description = "The name is that of a disk image or an appliance." },
        { "size", SCHEMA_INTEGER, .description = "In bytes; 0 for a directory." },
        { "modified_at", SCHEMA_TIMESTAMP },
        { "format", SCHEMA_STRING, SCHEMA_NULLABLE, "By the name." },
        {},
};
static const Schema entry_schema = { .name = "FileEntry", .fields = entry_fields };

static const SchemaField browse_fields[] = {
        { "path", SCHEMA_STRING },
        { "parent", SCHEMA_STRING, .description = "\"\" for a directory of files.roots." },
        { "entries", SCHEMA_ARRAY, .schema = &entry_schema },
        { "data", SCHEMA_ARRAY, .description = "The same.", .schema = &entry_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
static const Schema browse_schema = { .name = "FileList", .fields = browse_fields };
const Reply v1_browse_replies[] = { REPLY_OBJECT(200, "Directories first, then by name.", browse_schema),
        {} };

/* What the name says: of a disk image, of an appliance, or "iso"; NULL for other files. */
static const char *format_of(const char *name) {
        DiskFormat format = disk_format_from_name(name);
        const char *dot = strrchr(name, '.');

        if (format != FORMAT_PROBE)
                return disk_format_to_string(format);
        return dot && strcasecmp(dot, ".iso") == 0 ? "iso" : NULL;
}

typedef struct BusEntry {
        const char *name;
        int is_directory;
        uint64_t size, modified_at;
} BusEntry;

static json_t *entry_json(const char *directory, const BusEntry *e) {
        bool is_root = e->name[0] == '/';
        _cleanup_free_ char *path = is_root
                        ? strdup(e->name)
                        : strprintf("%s%s%s", directory, streq(directory, "/") ? "" : "/", e->name);
        const char *format = e->is_directory ? NULL : format_of(e->name);
        bool is_image = format && !streq(format, "iso");

        if (!path)
                return NULL;
        return json_pack("{s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:s?}", "name", e->name, "path", path, "type",
                        e->is_directory ? "dir" : "file", "is_dir", e->is_directory, "is_vm", is_image,
                        "size", json_count(e->size), "modified_at", json_time(e->modified_at), "format",
                        format);
}

static int read_entries(sd_bus_message *m, const BrowseQuery *q, json_t *page, uint64_t *ret_total) {
        uint64_t total = 0;
        BusEntry e;
        int k = sd_bus_message_enter_container(m, 'a', "(sbtt)");

        while (k >= 0 &&
                        (k = sd_bus_message_read(m, "(sbtt)", &e.name, &e.is_directory, &e.size,
                                         &e.modified_at)) > 0) {
                if (q->filter == FILTER_VM && !e.is_directory && !format_of(e.name))
                        continue;
                if (total >= q->page.offset && json_array_size(page) < q->page.limit &&
                                json_array_append_new(page, entry_json(q->path, &e)) < 0)
                        return -ENOMEM;
                total++;
        }
        *ret_total = total;
        return k;
}

static json_t *parent_json(const char *path) {
        const char *slash = strrchr(path, '/');

        return json_stringn(path, slash == path ? 1 : (size_t) (slash - path));
}

static int on_list(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const BrowseQuery *q = request_userdata(r);
        _cleanup_json_ json_t *page = json_array(), *reply = NULL;
        uint64_t total = 0;
        int k, is_root;

        if (error)
                return request_reply_bus_error(r, error);
        k = page ? sd_bus_message_read(m, "b", &is_root) : -ENOMEM;
        if (k >= 0)
                k = read_entries(m, q, page, &total);
        if (k < 0)
                return k;
        reply = json_pack("{s:s, s:o, s:O}", "path", q->path, "parent",
                        is_root || !*q->path ? json_string("") : parent_json(q->path), "entries", page);
        k = reply ? v1_page_add(reply, &q->page, json_incref(page), total) : -ENOMEM;
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}

static int call_with_path(Request *r, const char *member, const char *path, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, member, &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", path);
        return k < 0 ? k : manager_call(r, m, func, NULL);
}

int v1_browse_files(Request *r) {
        BrowseQuery *q = new0(BrowseQuery, 1);

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, free);
        *q = (BrowseQuery){ .path = "", .page = V1_PAGE_INIT };
        int k = request_query_decode(r, q);
        return k < 0 ? k : call_with_path(r, "ListFiles", q->path, on_list);
}

/* --- downloads ------------------------------------------------------------------------------------- */

typedef struct DownloadQuery {
        const char *path, *job_id, *file;
} DownloadQuery;

const QueryField v1_download_query[] = {
        { "path", QUERY_STRING, offsetof(DownloadQuery, path), .max = PATH_LENGTH_MAX,
                        .description = "An absolute path." },
        { "job_id", QUERY_STRING, offsetof(DownloadQuery, job_id), .max = 128,
                        .description = "Instead of a path: an output of this job." },
        { "file", QUERY_STRING, offsetof(DownloadQuery, file), .max = PATH_LENGTH_MAX,
                        .description = "With job_id: which output, by its path or its name." },
        {},
};
const Reply v1_download_replies[] = {
        { .status = 200,
                        .content_type = "application/octet-stream",
                        .value = { .description = "The file." } },
        { .status = 206,
                        .content_type = "application/octet-stream",
                        .value = { .description = "The bytes that Range asks for." } },
        {},
};

/* What a path ends with. */
static const char *name_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static int on_open(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const char *path = request_userdata(r);
        int fd, k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(m, "h", &fd); /* the message's */
        if (k < 0)
                return k;
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : request_reply_download(r, fd, name_of(path));
}

/* Sets *ret to the path of the one output that is meant; the caller frees it. */
static int find_output(Request *r, const DownloadQuery *q, const JobRow *row, char **ret) {
        _cleanup_json_ json_t *result = job_row_result(row);
        const char *found = NULL;
        const json_t *output;
        size_t i, n = 0;

        json_array_foreach(json_object_get(result, "outputs"), i, output) {
                const char *path = json_string_value(json_object_get(output, "path"));

                if (!path || (q->file && !streq(q->file, path) && !streq(q->file, name_of(path))))
                        continue;
                found = path;
                n++;
        }
        if (n == 0)
                return request_reply_error(r, 404, "%s: the job has no such output",
                                       q->file ? "file" : "job_id"),
                       -ENOENT;
        if (n > 1)
                return request_reply_error(
                                       r, 400, "file: must be given, because the job has several outputs"),
                       -EINVAL;
        *ret = strdup(found);
        return *ret ? 0 : -ENOMEM;
}

static int find_path(Request *r, const DownloadQuery *q, char **ret) {
        _cleanup_(job_row_freep) JobRow *row = NULL;

        if (!q->path == !q->job_id)
                return request_reply_error(r, 400, "path: either path or job_id must be given"), -EINVAL;
        if (q->path) {
                *ret = strdup(q->path);
                return *ret ? 0 : -ENOMEM;
        }
        int k = job_find(r, q->job_id, &row);
        return k < 0 ? k : find_output(r, q, row, ret);
}

int v1_download(Request *r) {
        DownloadQuery q = {};
        char *path;
        int k = request_query_decode(r, &q);

        if (k >= 0)
                k = find_path(r, &q, &path);
        if (k < 0)
                return k;
        request_set_userdata(r, path, free);
        return call_with_path(r, "OpenFile", path, on_open);
}
