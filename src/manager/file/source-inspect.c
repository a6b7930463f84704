/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/source-inspect.h"

#include <limits.h>

#include "basic/string-util.h"
#include "manager/file/file-bus.h"
#include "manager/file/source-look.h"
#include "manager/idle.h"
#include "manager/manager.h"
#include "manager/submit-options.h"
#include "shared/bus-fields.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"
#include "spec/inspection.h"
#include "json/json-parse.h"

#define CALL_TIMEOUT (120 * USEC_PER_SEC)

/* One call, which a thread, hyper-vsphered or hyper-hostd works on. */
typedef struct SourceCall {
        Manager *manager;
        sd_bus_message *message; /* the loop's; NULL: it was answered */
        sd_bus_slot *slot; /* of the call of another daemon */
        PathRules rules;
        char *path, *socket;
        json_t *source, *answer;
        JsonErrors errors;
} SourceCall;

static void source_call_free(void *userdata) {
        SourceCall *c = userdata;

        sd_bus_slot_unref(c->slot);
        path_rules_done(&c->rules);
        free(c->path);
        free(c->socket);
        json_decref(c->source);
        json_decref(c->answer);
        json_errors_done(&c->errors);
        free(c);
}

/* Takes @answer, which may be NULL when out of memory. */
static int reply(SourceCall *c, json_t *answer) {
        _cleanup_free_ char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

        json_decref(answer);
        return text ? sd_bus_reply_method_return(c->message, "s", text) : -ENOMEM;
}

/* --- a file ---------------------------------------------------------------------------------------- */

static int work(void *userdata) {
        SourceCall *c = userdata;

        return source_look(&c->rules, c->path, c->socket, &c->answer, &c->errors);
}

static void on_looked(int r, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        SourceCall *c = userdata;

        if (r >= 0)
                r = reply(c, TAKE_PTR(c->answer));
        else if (c->errors.n_errors > 0)
                r = bus_error_set_fields(&error,
                                r == -EPERM ? HYPER_BUS_ERROR_PATH_REFUSED : HYPER_BUS_ERROR_INVALID_SPEC,
                                &c->errors);
        else if (r == -EAGAIN)
                r = bus_error_setf(&error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The file cannot be inspected now: see \"systemctl status "
                                "hyper-inspect.socket\", and try again");
        file_call_end(c->manager, &c->message, r, &error);
}

static int start_file(SourceCall *c, Role role, sd_bus_error *error) {
        const char *path = json_string_value(json_object_get(c->source, "path")),
                   *socket = c->manager->inspect_socket;
        int r;

        if (!path || path[0] != '/' || strlen(path) >= PATH_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "source.path: must be an absolute path");
        c->path = strdup(path);
        c->socket = strdup(socket ? socket : INSPECTION_SOCKET);
        if (!c->path || !c->socket)
                return -ENOMEM;
        r = path_rules_init(&c->rules, c->manager->settings, role);
        if (r >= 0)
                r = thread_call(c->manager->file_calls, work, on_looked, source_call_free, c);
        return r == -EBUSY ? files_busy(error) : r;
}

/* --- a VM of a vSphere server ---------------------------------------------------------------------- */

/* The disks as those of a file have them. */
static json_t *disks_of_vm(const json_t *vm) {
        json_t *disks = json_array();
        const json_t *disk;
        size_t i;

        json_array_foreach(json_object_get(vm, "disks"), i, disk) {
                json_t *file = json_object_get(disk, "file_path"),
                       *size = json_object_get(disk, "capacity_bytes");

                if (json_array_append_new(disks,
                                    json_pack("{s:O?, s:n, s:O?}", "file", file, "format", "size", size)) <
                                0)
                        return json_decref(disks), NULL;
        }
        return disks;
}

static json_t *inspection_of_vm(json_t *vm) {
        json_t *disks = disks_of_vm(vm);

        return disks ? json_pack("{s:s, s:O?, s:n, s:o, s:o, s:O, s:O?}", "type", "vsphere", "path",
                                       json_object_get(vm, "path"), "format", "size", disks_size(disks),
                                       "disks", disks, "vm", vm, "concerns", json_object_get(vm, "concerns"))
                     : NULL;
}

static int reply_vm(SourceCall *c, sd_bus_message *m, json_t *(*inspection_of)(json_t *found)) {
        _cleanup_json_ json_t *found = NULL;
        _cleanup_free_ char *why = NULL;
        const char *text;
        int r = sd_bus_message_read(m, "s", &text);

        if (r >= 0)
                r = json_parse_object(text, strlen(text), &found, &why);
        return r < 0 ? r : reply(c, inspection_of(found));
}

static int end_vm(SourceCall *c, sd_bus_message *m, json_t *(*inspection_of)(json_t *found)) {
        const sd_bus_error *error = sd_bus_message_get_error(m);
        int r = error ? -EREMOTEIO : reply_vm(c, m, inspection_of);

        c->manager->n_calls_pending--;
        file_call_end(c->manager, &c->message, r, error);
        source_call_free(c);
        return 0;
}

static int on_vm(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        return end_vm(userdata, m, inspection_of_vm);
}

/* @on_answer frees @c. */
static int ask(SourceCall *c, sd_bus_message *m, sd_bus_message_handler_t on_answer) {
        int r = sd_bus_call_async(c->manager->bus, &c->slot, m, on_answer, c, CALL_TIMEOUT);

        if (r >= 0)
                c->manager->n_calls_pending++;
        return r;
}

/* The rest of the source is for hyper-vsphered, which checks it. */
static int append_source(SourceCall *c, sd_bus_message *m, const char *vm) {
        char *text = json_dumps(c->source, JSON_COMPACT);
        int r = text ? sd_bus_message_sensitive(m) : -ENOMEM;

        if (r >= 0)
                r = sd_bus_message_append(m, "ss", text, vm);
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
        return r;
}

static int start_vm(SourceCall *c, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *path = json_string_value(json_object_get(c->source, "vm_path"));
        _cleanup_free_ char *vm = isempty(path) ? NULL : strdup(path);
        int r;

        if (isempty(path))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "source.vm_path: is required: the path, UUID or name of a virtual machine");
        if (!vm)
                return -ENOMEM;
        (void) json_object_del(c->source, "type");
        (void) json_object_del(c->source, "vm_path");
        r = sd_bus_message_new_method_call(c->manager->bus, &m, HYPER_VSPHERE_BUS_NAME,
                        HYPER_VSPHERE_BUS_PATH, HYPER_VSPHERE_INTERFACE, "GetVM");
        if (r >= 0)
                r = append_source(c, m, vm);
        return r < 0 ? r : ask(c, m, on_vm);
}

/* --- a VM of a libvirt host ------------------------------------------------------------------------ */

static json_t *inspection_of_domain(json_t *found) {
        json_t *disks = json_object_get(found, "disks");

        return json_pack("{s:s, s:n, s:n, s:o, s:O?, s:O?, s:O?}", "type", "libvirt", "path", "format",
                        "size", disks_size(disks), "disks", disks, "vm", json_object_get(found, "vm"),
                        "concerns", json_object_get(found, "concerns"));
}

static int on_domain(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        return end_vm(userdata, m, inspection_of_domain);
}

static int start_domain(SourceCall *c, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *host = json_string_value(json_object_get(c->source, "host")),
                   *vm = json_string_value(json_object_get(c->source, "vm"));
        int r;

        if (isempty(host) || isempty(vm))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "source.%s: is required: the %s", isempty(host) ? "host" : "vm",
                                isempty(host) ? "ID of a libvirt host"
                                              : "UUID or name of a virtual machine");
        r = sd_bus_message_new_method_call(c->manager->bus, &m, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, "InspectVm");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", host, vm);
        return r < 0 ? r : ask(c, m, on_domain);
}

/* --- the method ------------------------------------------------------------------------------------ */

static int begin(SourceCall *c, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(submit_options_done) SubmitOptions options = {};
        _cleanup_free_ char *why = NULL;
        const char *text, *type;
        int r = sd_bus_message_read(message, "s", &text);

        if (r >= 0)
                r = submit_options_of_call(&c->manager->callers, message, &options, error);
        if (r >= 0 && json_parse_object(text, strlen(text), &c->source, &why) < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "source: %s",
                                why ? why : "is not JSON");
        if (r < 0)
                return r;
        type = json_string_value(json_object_get(c->source, "type"));
        if (streq_ptr(type, "file"))
                return start_file(c, options.role, error);
        if (streq_ptr(type, "vsphere"))
                return start_vm(c, error);
        if (streq_ptr(type, "libvirt"))
                return start_domain(c, error);
        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "source.type: must be file, vsphere or libvirt; a job inspects others");
}

int method_inspect_source(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        SourceCall *c;
        int r = bus_verify_polkit(message, "org.hyper1.manage-jobs", &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        c = new0(SourceCall, 1);
        if (!c)
                return -ENOMEM;
        c->manager = m;
        r = begin(c, message, error);
        if (r < 0) {
                source_call_free(c);
                return r;
        }
        c->message = sd_bus_message_ref(message);
        return 1;
}
