/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients leave out of a job, filled in the same way for all dialects; see translation_complete(). */

#include <stdio.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "dialect/dialect-complete.h"

/* The path of a file: URL on this machine (RFC 8089): file:///p, file://localhost/p, file:/p. -EINVAL for
 * another host, a query, bad escapes and %00. */
static int path_from_file_url(const char *url, char **ret) {
        const char *p = startswith(url, "file:");

        if (p && startswith(p, "//"))
                p = startswith(p, "//localhost/") ? p + strlen("//localhost") : p + 2;
        if (!p || *p != '/')
                return -EINVAL;

        _cleanup_free_ char *path = malloc(strlen(p) + 1);
        size_t n = 0;
        if (!path)
                return -ENOMEM;
        for (; *p; p++)
                if (*p == '%') {
                        int high = parse_hex_digit(p[1]), low = high < 0 ? -1 : parse_hex_digit(p[2]);

                        if (low < 0 || high * 16 + low == 0)
                                return -EINVAL;
                        path[n++] = (char) (high * 16 + low);
                        p += 2;
                } else if (*p == '?' || *p == '#')
                        return -EINVAL;
                else
                        path[n++] = *p;
        path[n] = '\0';
        if (!utf8_is_valid(path))
                return -EINVAL;
        *ret = TAKE_PTR(path);
        return 0;
}

/* Moves a value, and with it the memory of where it came from. */
static int rename_field(Translation *t, const char *from, const char *to) {
        json_t *origin = json_object_get(t->origins, from), *value = translation_get(t, from);
        int r;

        if (!value)
                return 0;
        r = translation_set(t, to, json_incref(value));
        if (r < 0)
                return r;
        if (origin && json_object_set(t->origins, to, origin) < 0)
                return -ENOMEM;
        (void) json_object_del(t->origins, from);

        const char *dot = strrchr(from, '.');
        char parent[64];
        (void) snprintf(parent, sizeof(parent), "%.*s", (int) (dot - from), from);
        (void) json_object_del(json_path_get(t->canonical, parent), dot + 1);
        return 0;
}

/* The fields of one endpoint, spelled out: the paths are constants so that they can be searched for. */
typedef struct EndpointPaths {
        const char *whole, *type, *path, *uri;
} EndpointPaths;

static const EndpointPaths source_paths = { "source", "source.type", "source.path", "source.uri" };
static const EndpointPaths destination_paths = { "destination", "destination.type", "destination.path",
        "destination.uri" };

/* The first kind whose field is there; with none it is the file's path that is missing. */
static EndpointType type_of_fields(const Translation *t, const EndpointPaths *p) {
        for (int i = 0; i < _ENDPOINT_MAX; i++) {
                _cleanup_free_ char *field = strprintf("%s.%s", p->whole, endpoint_kind(i)->field);

                if (field && translation_get(t, field))
                        return i;
        }
        return ENDPOINT_FILE;
}

/* A path may be written as a URL, and a type left out. */
static int complete_endpoint(Translation *t, const EndpointPaths *p) {
        const char *type = translation_get_string(t, p->type), *path = translation_get_string(t, p->path);
        int r = 0;

        if (path && endpoint_type_from_address(path) == ENDPOINT_NBD && !translation_get(t, p->uri) &&
                        (!type || endpoint_type_from_string(type) == ENDPOINT_NBD))
                r = rename_field(t, p->path, p->uri);
        else if (path && startswith(path, "file:")) {
                _cleanup_free_ char *local = NULL;

                r = path_from_file_url(path, &local);
                if (r == -EINVAL)
                        r = translation_error(t, p->path,
                                        "must be a file:// URL of this machine with an absolute path");
                else if (r >= 0)
                        r = translation_set(t, p->path, json_string(local));
        }
        if (r < 0 || translation_get(t, p->type))
                return r;

        /* Only a domain has a name. */
        bool kvm = p == &destination_paths && translation_get(t, "destination.name");
        return translation_set(t, p->type,
                        json_string(endpoint_type_to_string(kvm ? ENDPOINT_KVM : type_of_fields(t, p))));
}

static bool is_vsphere(const Translation *t) {
        const char *type = translation_get_string(t, source_paths.type);

        return type && endpoint_type_from_string(type) == ENDPOINT_VSPHERE;
}

/* Where typed clients put a login that the job may have no use for: such a field is not the source's own. */
static bool is_outside(const char *field) {
        return !startswith(field, "source.") && !startswith(field, "image.");
}

/* True if something is given that only a vSphere source has. */
static bool has_machine(const Translation *t) {
        return translation_get(t, "source.vcenter_url") || translation_get(t, "source.vm_path") ||
                        translation_get(t, "source.vm_uuid");
}

/* The type, where it is not given; and no login that only typed clients give, if the source is not a virtual
 * machine. */
static int complete_vsphere(Translation *t) {
        static const char *const fields[] = { "vcenter_url", "username", "password", "datacenter" };
        bool file = translation_get(t, source_paths.path) || translation_get(t, source_paths.uri);

        if (!translation_get(t, source_paths.type) && !file && has_machine(t))
                return translation_set(t, source_paths.type,
                                json_string(endpoint_type_to_string(ENDPOINT_VSPHERE)));
        for (size_t i = 0; i < ELEMENTSOF(fields) && !is_vsphere(t); i++) {
                _cleanup_free_ char *path = strprintf("source.%s", fields[i]);

                if (!path)
                        return -ENOMEM;
                const char *origin = json_string_value(json_object_get(t->origins, path));
                if (origin && is_outside(origin))
                        (void) json_object_del(translation_get(t, source_paths.whole), fields[i]);
        }
        return 0;
}

/* The name of a virtual machine is that of its output; NULL: the source is none, or has no name. */
static const char *machine_name(const Translation *t) {
        const char *path = translation_get_string(t, "source.vm_path");

        if (!is_vsphere(t))
                return NULL;
        return path ? vsphere_file_name(path) : translation_get_string(t, "source.vm_uuid");
}

/* "qcow2" of "/srv/a.qcow2"; NULL if the name says nothing. */
static const char *format_of_name(const char *path) {
        DiskFormat f = disk_format_from_name(path);

        return f > FORMAT_PROBE ? disk_format_to_string(f) : NULL;
}

/* "<directory>/<name>.<format>"; directory NULL: the source's own; name NULL: the source's. */
static char *output_beside(
                const char *directory, const char *source, const char *given_name, const char *format) {
        const char *slash = strrchr(source, '/'),
                   *name = given_name ? given_name
                        : slash       ? slash + 1
                                      : source,
                   *dot = given_name ? NULL : strrchr(name, '.');
        int length = dot && dot != name ? (int) (dot - name) : (int) strlen(name);
        int end = directory ? (int) strlen(directory) : slash ? (int) (slash - source) : 0;

        if (!directory)
                directory = source;
        while (end > 0 && directory[end - 1] == '/')
                end--;
        return strprintf("%.*s/%.*s.%s", end, directory, length, name, format);
}

static int complete_output_path(Translation *t, const char *format) {
        const char *source = translation_get_string(t, source_paths.path),
                   *directory = translation_get_string(t, TRANSLATE_DIRECTORY), *reason,
                   *name = t->output_name ? t->output_name : machine_name(t);
        _cleanup_free_ char *path = NULL;

        if (!source && directory && name)
                source = "";
        else if (!source || !job_path_is_valid(source, false, &reason)) {
                if (translation_get(t, source_paths.uri) || is_vsphere(t))
                        return translation_error(t, destination_paths.path,
                                        "must be given: the source is no file that the output could be "
                                        "named after");
                /* A source that is wrong or missing is told as such: one error is enough. */
                return translation_settle(t, destination_paths.path);
        }

        path = output_beside(directory, source, name, format);
        if (!path)
                return -ENOMEM;
        if (streq(path, source))
                return translation_error(t, destination_paths.path,
                                "must be given: beside the source, the output would be %s, the source "
                                "itself",
                                path);
        if (directory && json_object_get(t->origins, TRANSLATE_DIRECTORY) &&
                        json_object_set(t->origins, destination_paths.path,
                                        json_object_get(t->origins, TRANSLATE_DIRECTORY)) < 0)
                return -ENOMEM;
        return translation_set(t, destination_paths.path, json_string(path));
}

static bool is_kvm(const Translation *t) {
        const char *type = translation_get_string(t, destination_paths.type);

        return type && endpoint_type_from_string(type) == ENDPOINT_KVM;
}

/* A domain has a name and a directory for its disks: their names are made by the decoder of the spec. */
static int complete_kvm(Translation *t) {
        const char *path = translation_get_string(t, destination_paths.path);

        if (path && endswith(path, "/") && !translation_get(t, TRANSLATE_DIRECTORY))
                return rename_field(t, destination_paths.path, TRANSLATE_DIRECTORY);
        return 0;
}

static int complete_destination(Translation *t) {
        const char *path = translation_get_string(t, destination_paths.path),
                   *type = translation_get_string(t, destination_paths.type),
                   *format = translation_get_string(t, "destination.format");
        json_t *directory = translation_get(t, TRANSLATE_DIRECTORY);
        int r;

        if (translation_is_settled(t, destination_paths.whole) ||
                        (type && endpoint_type_from_string(type) != ENDPOINT_FILE))
                return 0;
        if (directory && !json_is_string(directory)) {
                r = translation_error(t, TRANSLATE_DIRECTORY, "must be a string");
                return r < 0 ? r : translation_settle(t, destination_paths.path);
        }
        /* "…/" can only be meant as a directory. */
        if (!directory && path && endswith(path, "/")) {
                r = rename_field(t, destination_paths.path, TRANSLATE_DIRECTORY);
                if (r < 0)
                        return r;
                path = NULL;
        }
        if (!translation_get(t, "destination.format")) {
                format = path ? format_of_name(path) : NULL;
                format = format ? format : disk_format_to_string(FORMAT_QCOW2);
                r = translation_set(t, "destination.format", json_string(format));
                if (r < 0)
                        return r;
        }
        if (translation_get(t, destination_paths.path))
                return 0;
        /* The format's own error says enough; without one there is no name to make. */
        if (!format || disk_format_from_string(format) <= FORMAT_PROBE)
                return translation_settle(t, destination_paths.path);
        return complete_output_path(t, format);
}

/* Operations other than a conversion work on the source itself, unless a place for their output is named. */
static bool needs_destination(const Translation *t) {
        const char *operation = translation_get_string(t, "operation");
        json_t *destination = translation_get(t, destination_paths.whole);
        JobOperation o = operation ? job_operation_from_string(operation) : _OPERATION_INVALID;

        if (job_operation_has((int) o, OPERATION_NEEDS_DESTINATION))
                return true;
        /* Some clients name a format whatever they ask for. */
        return destination &&
                        (o < 0 ||
                                        json_object_size(destination) !=
                                                        (json_object_get(destination, "format") ? 1 : 0));
}

int translation_complete(Translation *t) {
        int r = 0;

        if (!translation_get(t, "operation"))
                r = translation_set(t, "operation", json_string(job_operation_to_string(OPERATION_CONVERT)));
        if (r >= 0)
                r = complete_vsphere(t);
        if (r >= 0)
                r = complete_endpoint(t, &source_paths);
        if (r < 0)
                return r;
        if (!needs_destination(t)) {
                (void) json_object_del(t->canonical, destination_paths.whole);
                return translation_settle(t, destination_paths.whole);
        }
        r = complete_endpoint(t, &destination_paths);
        if (r >= 0)
                r = is_kvm(t) ? complete_kvm(t) : complete_destination(t);
        if (r < 0 || is_kvm(t))
                return r;
        /* It has done its part. */
        (void) json_object_del(translation_get(t, destination_paths.whole), "directory");
        return 0;
}
