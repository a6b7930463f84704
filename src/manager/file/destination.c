/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/destination.h"

#include <limits.h>
#include <sys/statvfs.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "manager/file/file-bus.h"
#include "manager/manager.h"
#include "manager/path-look.h"
#include "manager/submit-options.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"
#include "spec/concern.h"
#include "json/json-parse.h"

/* --- what is there --------------------------------------------------------------------------------- */

/* The path itself, or the nearest directory above it that exists. 1: it is the path itself. */
static int open_nearest(const PathRules *rules, const char *path, int *ret_fd, struct stat *ret_stat,
                char **ret_real, JsonErrors *errors) {
        _cleanup_free_ char *place = strdup(path);
        bool itself = true;

        while (place && place[0] == '/') {
                const char *why = NULL;
                char *slash = strrchr(place, '/');
                int fd = path_open(rules, place, true, true, ret_real, &why);

                if (fd >= 0 && fstat(fd, ret_stat) >= 0) {
                        *ret_fd = fd;
                        return itself;
                }
                safe_close(fd);
                *ret_real = mfree(*ret_real);
                if (fd == -ENOMEM)
                        return fd;
                if (fd == -EPERM)
                        return path_refuse_place("destination.path", path, true, why, errors);
                if ((fd != -ENOENT && fd != -ENOTDIR) || streq(place, "/"))
                        return path_refuse(errors, -EBADMSG, "destination.path", path,
                                        "the directory cannot be opened");
                slash[slash == place] = '\0';
                itself = false;
        }
        return place ? path_refuse(errors, -EBADMSG, "destination.path", path, "must be an absolute path")
                     : -ENOMEM;
}

static int add_no_space(json_t *concerns, uint64_t size, uint64_t free_bytes) {
        char wanted[BYTES_SIZE], there[BYTES_SIZE];

        return concern_add(concerns, CONCERN_NO_SPACE, format_bytes(wanted, size),
                        format_bytes(there, free_bytes));
}

static int make_concerns(const char *path, bool exists, uint64_t size, uint64_t free_bytes, json_t **ret) {
        _cleanup_json_ json_t *concerns = json_array();
        int r = concerns ? 0 : -ENOMEM;

        if (r >= 0 && exists)
                r = concern_add(concerns, CONCERN_DESTINATION_EXISTS, path);
        if (r >= 0 && size > free_bytes)
                r = add_no_space(concerns, size, free_bytes);
        if (r >= 0)
                *ret = TAKE_PTR(concerns);
        return r;
}

int destination_look(
                const PathRules *rules, const char *path, uint64_t size, json_t **ret, JsonErrors *errors) {
        _cleanup_free_ char *real = NULL;
        _cleanup_close_ int fd = -EBADF;
        json_t *concerns = NULL;
        struct statvfs vfs;
        struct stat st;
        int r = open_nearest(rules, path, &fd, &st, &real, errors);

        if (r < 0)
                return r;
        bool exists = r > 0 && !S_ISDIR(st.st_mode);
        if (r == 0 && !S_ISDIR(st.st_mode))
                return path_refuse(errors, -EBADMSG, "destination.path", path,
                                "a file is where a directory should be");
        if (fstatvfs(fd, &vfs) < 0)
                return path_refuse(errors, -EBADMSG, "destination.path", path, strerror(errno));
        uint64_t unit = vfs.f_frsize, free_bytes = vfs.f_bavail * unit, total = vfs.f_blocks * unit;
        r = make_concerns(path, exists, size, free_bytes, &concerns);
        if (r < 0)
                return r;
        char *slash = exists ? strrchr(real, '/') : NULL;
        if (slash)
                slash[slash == real] = '\0';
        *ret = json_pack("{s:s, s:s, s:b, s:I, s:I, s:o}", "path", path, "directory", real, "exists",
                        (int) exists, "free", (json_int_t) MIN(free_bytes, (uint64_t) INT64_MAX), "total",
                        (json_int_t) MIN(total, (uint64_t) INT64_MAX), "concerns", concerns);
        return *ret ? 0 : -ENOMEM;
}

/* --- the method ------------------------------------------------------------------------------------ */

/* One call, which a thread works on. */
typedef struct DestinationCall {
        Manager *manager;
        sd_bus_message *message; /* the loop's; NULL: it was answered */
        PathRules rules;
        char *path;
        uint64_t size;
        json_t *answer;
        JsonErrors errors;
} DestinationCall;

static void destination_call_free(void *userdata) {
        DestinationCall *c = userdata;

        path_rules_done(&c->rules);
        free(c->path);
        json_decref(c->answer);
        json_errors_done(&c->errors);
        free(c);
}

static int work(void *userdata) {
        DestinationCall *c = userdata;

        return destination_look(&c->rules, c->path, c->size, &c->answer, &c->errors);
}

static void on_done(int r, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = NULL;
        DestinationCall *c = userdata;

        if (r >= 0) {
                text = json_dumps(c->answer, JSON_COMPACT);
                r = text ? sd_bus_reply_method_return(c->message, "s", text) : -ENOMEM;
        } else if (c->errors.n_errors > 0)
                r = bus_error_set_fields(&error,
                                r == -EPERM ? HYPER_BUS_ERROR_PATH_REFUSED : HYPER_BUS_ERROR_INVALID_SPEC,
                                &c->errors);
        file_call_end(c->manager, &c->message, r, &error);
}

static int read_path(const char *text, char **ret, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        _cleanup_json_ json_t *destination = NULL;
        int r = json_parse_object(text, strlen(text), &destination, &why);
        const char *type = json_string_value(json_object_get(destination, "type")),
                   *path = json_string_value(json_object_get(destination, "path"));

        if (r == -ENOMEM)
                return r;
        if (r < 0 || !streq_ptr(type, "file") || !path || path[0] != '/' || strlen(path) >= PATH_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "destination: must be {\"type\": \"file\", \"path\": an absolute path}");
        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

static int read_call(Manager *m, sd_bus_message *message, DestinationCall *c, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions options = {};
        const char *destination;
        int r = sd_bus_message_read(message, "st", &destination, &c->size);

        if (r >= 0)
                r = submit_options_of_call(&m->callers, message, &options, error);
        if (r >= 0)
                r = read_path(destination, &c->path, error);
        if (r >= 0)
                r = path_rules_init(&c->rules, m->settings, options.role);
        if (r < 0)
                return r;
        r = thread_call(m->file_calls, work, on_done, destination_call_free, c);
        return r == -EBUSY ? files_busy(error) : r;
}

int method_inspect_destination(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        DestinationCall *c;
        int r = bus_verify_polkit(message, "org.hyper1.manage-jobs", &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        c = new0(DestinationCall, 1);
        if (!c)
                return -ENOMEM;
        c->manager = m;
        r = read_call(m, message, c, error);
        if (r < 0) {
                destination_call_free(c);
                return r;
        }
        c->message = sd_bus_message_ref(message);
        return 1;
}
