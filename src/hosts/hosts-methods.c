/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/hosts-methods.h"
#include "json/json-parse.h"

#include "basic/string-util.h"
#include "hosts/activity.h"
#include "hosts/bus-objects.h"
#include "hosts/hosts.h"
#include "hosts/vm-methods.h"
#include "shared/error-table.h"
#include "json/json-table.h"

#define SETTING_MAX ((size_t) 16 * 1024)

/* The VM that the message names with its host. */
static int read_vm(sd_bus_message *message, Hosts *h, Vm **ret, sd_bus_error *error) {
        const char *id, *name;
        int r = sd_bus_message_read(message, "ss", &id, &name);
        Host *host = r >= 0 ? hosts_find(h, id) : NULL;

        if (r < 0)
                return r;
        if (!host)
                return bus_no_such_host(error, id);
        *ret = host_find_vm_by_any(host, name);
        return *ret ? 0 : bus_no_such_vm(error, host, name);
}

int hosts_method_inspect_vm(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Vm *vm;
        int r = read_vm(message, userdata, &vm, error);

        return r < 0 ? r : vm_call_inspect(vm, message, error);
}

int hosts_method_get_vm(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *path = NULL;
        Vm *vm;
        int r = read_vm(message, userdata, &vm, error);

        if (r < 0)
                return r;
        path = vm_bus_path(vm);
        return path ? sd_bus_reply_method_return(message, "os", path, vm->row.uuid) : -ENOMEM;
}

/* --- activity, settings ---------------------------------------------------------------------------- */

static int append_activity(sd_bus_message *reply, const Activity *a) {
        return sd_bus_message_append(reply, "(ttssssss)", a->id, (uint64_t) a->at,
                        activity_kind_to_string(a->kind), a->severity, a->host, a->uuid, a->vm, a->message);
}

int hosts_method_list_activity(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Hosts *h = userdata;
        uint64_t offset, limit, total = activities_count(h->activities);
        int r = sd_bus_message_read(message, "tt", &offset, &limit);

        if (r < 0)
                return r;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", total);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ttssssss)");
        for (uint64_t i = offset; i < total && i - offset < limit && r >= 0; i++)
                r = append_activity(reply, activities_get(h->activities, i));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* What clients may keep here. */
static const char *const settings_names[] = { "metrics" };

static int check_setting(const char *name, sd_bus_error *error) {
        for (size_t i = 0; i < ELEMENTSOF(settings_names); i++)
                if (streq(name, settings_names[i]))
                        return 0;
        return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "name: must be metrics");
}

int hosts_method_get_setting(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *value = NULL;
        const char *name;
        Hosts *h = userdata;
        int r = sd_bus_message_read(message, "s", &name);

        if (r >= 0)
                r = check_setting(name, error);
        if (r < 0)
                return r;
        r = store_setting_get(h->store, name, &value);
        if (r < 0 && r != -ENOENT)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The setting could not be read: %s", store_error_text(h->store));
        return sd_bus_reply_method_return(message, "s", value ? value : "{}");
}

int hosts_method_set_setting(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        const char *name, *value;
        Hosts *h = userdata;
        int r = bus_verify_polkit(message, "org.hyper1.manage-vms", &h->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "ss", &name, &value);
        if (r >= 0)
                r = check_setting(name, error);
        if (r < 0)
                return r;
        if (strlen(value) > SETTING_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_TOO_LARGE, "value: must be at most %zu KiB",
                                SETTING_MAX / 1024);
        r = json_parse_object(value, strlen(value), &object, &why);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "value: %s", strna(why));
        r = store_setting_set(h->store, name, value);
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The setting could not be kept: %s", store_error_text(h->store));
        return sd_bus_reply_method_return(message, NULL);
}
