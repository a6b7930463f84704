/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-definition.h"
#include "store/jobs.h"
#include "json/json-redact.h"

#include <strings.h>

#include "api/hypersdk/hypersdk-decode.h"
#include "api/job-json.h"
#include "basic/string-util.h"

typedef enum ClientType {
        CLIENT_STRING,
        CLIENT_BOOLEAN,
        CLIENT_INTEGER,
        CLIENT_OBJECT,
        CLIENT_FORMAT, /* a word of client_formats, in lower case */
        CLIENT_METHOD, /* a word of client_methods */
        CLIENT_TIME, /* never echoed: clients write times in forms that others cannot read */
} ClientType;

/* The fields that the published clients declare, and their types. A path comes behind the object that it
 * lies in. */
static const struct {
        const char *path;
        ClientType type;
} client_fields[] = {
        { "id", CLIENT_STRING },
        { "name", CLIENT_STRING },
        { "vm_path", CLIENT_STRING },
        { "output_path", CLIENT_STRING },
        { "output_dir", CLIENT_STRING },
        { "vcenter_url", CLIENT_STRING },
        { "username", CLIENT_STRING },
        { "datacenter", CLIENT_STRING },
        { "method", CLIENT_STRING },
        { "provider", CLIENT_STRING },
        { "format", CLIENT_FORMAT },
        { "export_method", CLIENT_METHOD },
        { "insecure", CLIENT_BOOLEAN },
        { "compress", CLIENT_BOOLEAN },
        { "thin", CLIENT_BOOLEAN },
        { "created_at", CLIENT_TIME },
        { "provider_config", CLIENT_OBJECT },
        { "vcenter", CLIENT_OBJECT },
        { "vcenter.server", CLIENT_STRING },
        { "vcenter.username", CLIENT_STRING },
        { "vcenter.password", CLIENT_STRING },
        { "vcenter.insecure", CLIENT_BOOLEAN },
        { "options", CLIENT_OBJECT },
        { "options.parallel_downloads", CLIENT_INTEGER },
        { "options.remove_cdrom", CLIENT_BOOLEAN },
        { "options.show_individual_progress", CLIENT_BOOLEAN },
        { "options.enable_pipeline", CLIENT_BOOLEAN },
        { "options.hyper2kvm_path", CLIENT_STRING },
        { "options.pipeline_inspect", CLIENT_BOOLEAN },
        { "options.pipeline_fix", CLIENT_BOOLEAN },
        { "options.pipeline_convert", CLIENT_BOOLEAN },
        { "options.pipeline_validate", CLIENT_BOOLEAN },
        { "options.pipeline_compress", CLIENT_BOOLEAN },
        { "options.compress_level", CLIENT_INTEGER },
        { "options.libvirt_integration", CLIENT_BOOLEAN },
        { "options.libvirt_uri", CLIENT_STRING },
        { "options.libvirt_autostart", CLIENT_BOOLEAN },
        { "options.libvirt_bridge", CLIENT_STRING },
        { "options.libvirt_pool", CLIENT_STRING },
        { "options.hyper2kvm_daemon", CLIENT_BOOLEAN },
        { "options.hyper2kvm_instance", CLIENT_STRING },
        { "options.hyper2kvm_watch_dir", CLIENT_STRING },
        { "options.hyper2kvm_output_dir", CLIENT_STRING },
        { "options.hyper2kvm_poll_interval", CLIENT_INTEGER },
        { "options.hyper2kvm_daemon_timeout", CLIENT_INTEGER },
};

/* Clients decode these into closed enumerations. */
static const char *const client_formats[] = { "qcow2", "raw", "vmdk", "ova", "ovf" };
static const char *const client_methods[] = { "ctl", "govc", "ovftool", "web", "" };

/* In case of a match in other letters, the value is replaced by the client's own word. */
static int fit_word(json_t *value, const char *const *words, size_t n) {
        const char *s = json_string_value(value);

        for (size_t i = 0; s && i < n; i++)
                if (strcasecmp(words[i], s) == 0)
                        return json_string_set(value, words[i]) < 0 ? -ENOMEM : 1;
        return 0;
}

/* 1 if @value can stay, 0 if it must go, -ENOMEM. */
static int fit_value(json_t *value, ClientType type) {
        switch (type) {
        case CLIENT_STRING:
                return json_is_string(value);
        case CLIENT_BOOLEAN:
                return json_is_boolean(value);
        case CLIENT_INTEGER:
                return json_is_integer(value);
        case CLIENT_OBJECT:
                return json_is_object(value);
        case CLIENT_FORMAT:
                return fit_word(value, client_formats, ELEMENTSOF(client_formats));
        case CLIENT_METHOD:
                return fit_word(value, client_methods, ELEMENTSOF(client_methods));
        default:
                return 0;
        }
}

/* Leaves out what does not fit. @definition is nobody else's. */
static int fit_definition(json_t *definition) {
        for (size_t i = 0; i < ELEMENTSOF(client_fields); i++) {
                const char *path = client_fields[i].path, *dot = strchr(path, '.'), *key = path;
                json_t *object = definition, *value;
                int r;

                if (dot) {
                        _cleanup_free_ char *parent = strndup(path, (size_t) (dot - path));

                        if (!parent)
                                return -ENOMEM;
                        object = json_object_get(definition, parent);
                        key = dot + 1;
                }
                value = json_object_get(object, key);
                if (!value)
                        continue;
                r = fit_value(value, client_fields[i].type);
                if (r < 0)
                        return r;
                if (r == 0)
                        (void) json_object_del(object, key);
        }
        return 0;
}

/* Clients read vm_path without asking. A job that was submitted in another form has the path or the URI of
 * its source there, without the name of a user. */
static int add_vm_path(json_t *definition, const json_t *spec) {
        static const char *const sources[] = { "source.path", "source.uri", "source.vm_path" };
        const char *path = json_string_value(json_object_get(definition, "vm_path"));

        if (!isempty(path))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(sources); i++) {
                json_t *value = json_path_get(spec, sources[i]);

                if (!json_is_string(value))
                        continue;
                _cleanup_json_ json_t *shown = json_redact(value);
                return json_object_set(definition, "vm_path", shown) < 0 ? -ENOMEM : 0;
        }
        return json_object_set_new(definition, "vm_path", json_string("")) < 0 ? -ENOMEM : 0;
}

/* Takes @definition over. */
static json_t *finish(json_t *definition, const json_t *spec) {
        _cleanup_json_ json_t *owned = definition;

        if (!json_is_object(definition))
                return NULL;
        if (fit_definition(definition) < 0)
                return NULL;
        if (add_vm_path(definition, spec) < 0)
                return NULL;
        return TAKE_PTR(owned);
}

json_t *hypersdk_definition_json(const JobRow *row) {
        _cleanup_json_ json_t *spec = row->spec ? json_loads(row->spec, 0, NULL) : NULL;
        json_t *definition;

        definition = finish(job_row_definition(row, HYPERSDK_DIALECT, hypersdk_fields, "id"), spec);
        if (!definition)
                return NULL;
        if (json_object_set_new(definition, "created_at", json_time(row->created_at)) < 0) {
                json_decref(definition);
                return NULL;
        }
        return definition;
}

json_t *hypersdk_template_json(const json_t *request, const json_t *spec) {
        return finish(json_is_object(request) ? json_deep_copy(request)
                                              : dialect_job_from_canonical(hypersdk_fields, spec),
                        spec);
}
