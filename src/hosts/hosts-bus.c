/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/hosts-bus.h"
#include "json/json-parse.h"

#include <fcntl.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/boot-bus.h"
#include "hosts/bus-objects.h"
#include "hosts/define-bus.h"
#include "hosts/deploy-bus.h"
#include "hosts/host-connect.h"
#include "hosts/hosts-list.h"
#include "hosts/hosts-methods.h"
#include "hosts/hosts-reload.h"
#include "hosts/hosts.h"
#include "hosts/stats.h"
#include "hosts/subscriptions.h"
#include "hosts/volume-bus.h"
#include "shared/bus-options.h"
#include "shared/error-table.h"
#include "spec/host-uri.h"
#include "json/json-table.h"

#define KEY_MAX ((size_t) 16 * 1024)

static const char manage_hosts[] = "org.hyper1.manage-hosts";

/* --- AddHost --------------------------------------------------------------------------------------- */

typedef struct AddOptions {
        const char *id, *name;
} AddOptions;

static int read_option(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        AddOptions *o = userdata;

        return sd_bus_message_read(m, "s", streq(key, "id") ? &o->id : &o->name);
}

static const BusOptions add_options = {
        .options = (const BusOption[]){ { "id", "s" }, { "name", "s" }, {} },
        .prefix = "",
        .what = "option",
        .read = read_option,
};

static int check_host(Hosts *h, const char *uri, const char *id, const char *name, sd_bus_error *error) {
        const char *why;
        const Host *same;
        HostUri parts;
        Host *other;

        if (host_uri_parse(uri, h->settings->hosts.allow_test, &parts, &why) < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "uri: %s", why);
        if (!host_id_is_valid(id))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "id: must be 1 to %d bytes without slashes and control characters",
                                HOST_ID_MAX);
        if (strlen(name) > HOST_NAME_MAX_BYTES || utf8_has_control(name))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "name: must be at most %u bytes without control characters",
                                HOST_NAME_MAX_BYTES);
        HASH_FIND_STR(h->by_id, id, other);
        if (other)
                return bus_error_setf(error, HYPER_BUS_ERROR_HOST_EXISTS, "Host %s exists already", id);
        same = hosts_find_by_uri(h, &parts);
        if (same)
                return bus_error_setf(error, HYPER_BUS_ERROR_HOST_EXISTS,
                                "uri: host %s has this URI already", same->row.id);
        if (HASH_COUNT(h->by_id) >= HOSTS_MAX || host_thread_abandoned() >= HOST_GHOSTS_TOTAL)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "There are too many hosts, or too many of them hang.");
        return 0;
}

/* The id of a host whose owner gave none, with a number behind it if it is taken. */
static char *free_id(Hosts *h, const char *uri) {
        _cleanup_free_ char *base = host_uri_make_id(uri);
        char *id = base ? strdup(base) : NULL;
        Host *other;

        for (unsigned i = 2; id; i++) {
                HASH_FIND_STR(h->by_id, id, other);
                if (!other)
                        break;
                free(id);
                id = strprintf("%s-%u", base, i);
        }
        return id;
}

static int begin_add(Hosts *h, const char *uri, const char *id, const char *name, sd_bus_message *message) {
        usec_t now = now_realtime();
        HostRow row = {
                .id = strdup(id),
                .uri = strdup(uri),
                .shown_uri = host_uri_redact(uri),
                .name = strdup(isempty(name) ? id : name),
                .state = HOST_DISCONNECTED,
                .error = strdup(""),
                .created_at = now,
                .updated_at = now,
        };
        Host *host;
        int r;

        if (!row.id || !row.uri || !row.shown_uri || !row.name || !row.error) {
                host_row_done(&row);
                return -ENOMEM;
        }
        r = host_new(h, &row, &host);
        if (r < 0)
                return r;
        host->adding = true;
        host->add_call = sd_bus_message_ref(message);
        host_connect(host);
        return 1;
}

static int method_add_host(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        AddOptions o = { .id = "", .name = "" };
        const char *uri;
        _cleanup_free_ char *made = NULL;
        Hosts *h = userdata;
        int r = bus_verify_polkit(message, manage_hosts, &h->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &uri);
        if (r >= 0)
                r = bus_read_options(message, &add_options, &o, error);
        if (r < 0)
                return r;
        if (isempty(o.id)) {
                o.id = made = free_id(h, uri);
                if (!made)
                        return -ENOMEM;
        }
        r = check_host(h, uri, o.id, o.name, error);
        return r < 0 ? r : begin_add(h, uri, o.id, o.name, message);
}

/* --- RemoveHost ------------------------------------------------------------------------------------ */

static int method_remove_host(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Hosts *h = userdata;
        const char *id;
        Host *host;
        int r = bus_verify_polkit(message, manage_hosts, &h->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &id);
        if (r < 0)
                return r;
        host = hosts_find(h, id);
        if (!host)
                return bus_no_such_host(error, id);
        r = store_host_delete(h->store, id);
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "Host %s could not be removed: %s",
                                id, store_error_text(h->store));
        log_info("Host %s was removed.", id);
        host_bus_added(host, false);
        stats_host_gone(host);
        host_free(host);
        hosts_bus_changed(h);
        return sd_bus_reply_method_return(message, NULL);
}

/* --- Reload ---------------------------------------------------------------------------------------- */

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        Hosts *h = userdata;
        int r = bus_verify_polkit(message, manage_hosts, &h->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = hosts_reload(h, &why);
        if (r < 0 && why)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "%s", why);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int method_get_config(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Hosts *h = userdata;
        _cleanup_json_ json_t *config = settings_to_json(h->settings);
        _cleanup_free_ char *text = config ? json_dumps(config, JSON_COMPACT) : NULL;

        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

/* --- statistics ------------------------------------------------------------------------------------ */

static int method_subscribe(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *id, *vm;
        Hosts *h = userdata;
        Host *host;
        int r = sd_bus_message_read(message, "ss", &id, &vm);

        if (r < 0)
                return r;
        host = hosts_find(h, id);
        if (!host)
                return bus_no_such_host(error, id);
        r = hosts_subscribe(h, host, vm, message, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int method_unsubscribe(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *id, *vm;
        Hosts *h = userdata;
        int r = sd_bus_message_read(message, "ss", &id, &vm);

        if (r >= 0)
                r = hosts_unsubscribe(h, id, vm, message);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

/* --- properties ------------------------------------------------------------------------------------ */

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

/* What goes into the authorized_keys of hosts that are reached over ssh. */
static int get_public_key(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Hosts *h = userdata;
        _cleanup_free_ char *file = strprintf("%s.pub", h->keyfile), *text = NULL;
        int r = file ? read_file_at(AT_FDCWD, file, KEY_MAX, &text, NULL) : -ENOMEM;

        if (r == -ENOMEM)
                return r;
        if (r < 0 || !utf8_is_valid(text))
                text = mfree(text);
        else
                text[strcspn(text, "\n")] = '\0';
        return sd_bus_message_append(reply, "s", strempty(text));
}

static int get_stats_calls(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "u", (uint32_t) libvirt_sample_calls());
}

/* Reads are for everybody on this machine, changes for whom polkit allows them. */
const sd_bus_vtable hosts_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("AddHost", SD_BUS_ARGS("s", uri, "a{sv}", options),
                        SD_BUS_RESULT("s", id, "o", host), method_add_host,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("RemoveHost", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT, method_remove_host,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetConfig", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", config), method_get_config,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListHosts", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sossssutt)", hosts),
                        hosts_method_list_hosts, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListVms", SD_BUS_ARGS("s", host, "t", offset, "t", limit),
                        SD_BUS_RESULT("t", total, "a(sossssuts)", vms), hosts_method_list_vms,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetVm", SD_BUS_ARGS("s", host, "s", vm),
                        SD_BUS_RESULT("o", object, "s", uuid), hosts_method_get_vm,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("InspectVm", SD_BUS_ARGS("s", host, "s", vm), SD_BUS_RESULT("s", inspection),
                        hosts_method_inspect_vm, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListVmRuntime", SD_BUS_ARGS("s", host), SD_BUS_RESULT("a(ssst)", vms),
                        hosts_method_list_runtime, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListActivity", SD_BUS_ARGS("t", offset, "t", limit),
                        SD_BUS_RESULT("t", total, "a(ttssssss)", activities), hosts_method_list_activity,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetSetting", SD_BUS_ARGS("s", name), SD_BUS_RESULT("s", value),
                        hosts_method_get_setting, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetSetting", SD_BUS_ARGS("s", name, "s", value), SD_BUS_NO_RESULT,
                        hosts_method_set_setting, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SubscribeStats", SD_BUS_ARGS("s", host, "s", vm), SD_BUS_NO_RESULT,
                        method_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("UnsubscribeStats", SD_BUS_ARGS("s", host, "s", vm), SD_BUS_NO_RESULT,
                        method_unsubscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        /* Not "unprivileged": only root may call these. */
        SD_BUS_METHOD_WITH_ARGS("DescribeTarget", SD_BUS_ARGS("s", uri, "s", pool),
                        SD_BUS_RESULT("s", target), hosts_method_describe_target, 0),
        SD_BUS_METHOD_WITH_ARGS("CreateVolume",
                        SD_BUS_ARGS("s", uri, "s", pool, "s", volume, "t", size, "t", allocated),
                        SD_BUS_RESULT("s", path), hosts_method_create_volume, 0),
        SD_BUS_METHOD_WITH_ARGS("SendVolume", SD_BUS_ARGS("s", uri, "s", pool, "s", volume, "h", file),
                        SD_BUS_NO_RESULT, hosts_method_send_volume, 0),
        SD_BUS_METHOD_WITH_ARGS("RemoveVolume", SD_BUS_ARGS("s", uri, "s", pool, "s", volume),
                        SD_BUS_NO_RESULT, hosts_method_remove_volume, 0),
        SD_BUS_METHOD_WITH_ARGS("DefineVm", SD_BUS_ARGS("s", uri, "s", domain), SD_BUS_RESULT("s", outcome),
                        hosts_method_define_vm, 0),
        SD_BUS_METHOD_WITH_ARGS("DeployVm", SD_BUS_ARGS("s", uri, "s", domain, "b", autostart),
                        SD_BUS_RESULT("s", vm), hosts_method_deploy_vm, 0),
        SD_BUS_METHOD_WITH_ARGS("CheckBoot", SD_BUS_ARGS("s", uri, "s", domain, "u", limit),
                        SD_BUS_RESULT("s", outcome, "ah", screenshot), hosts_method_check_boot, 0),
        SD_BUS_METHOD_WITH_ARGS("EndBootCheck", SD_BUS_ARGS("s", uri, "s", job_id), SD_BUS_NO_RESULT,
                        hosts_method_end_boot_check, 0),
        SD_BUS_SIGNAL("HostsChanged", "", 0),
        SD_BUS_SIGNAL_WITH_ARGS("VmsChanged", SD_BUS_ARGS("s", host), 0),
        SD_BUS_SIGNAL_WITH_ARGS("HostConnectionChanged", SD_BUS_ARGS("s", host, "b", connected), 0),
        SD_BUS_SIGNAL_WITH_ARGS("VmStats", SD_BUS_ARGS("s", host, "s", vm, "s", stats), 0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("PublicKey", "s", get_public_key, 0, 0),
        SD_BUS_PROPERTY("StatsCalls", "u", get_stats_calls, 0, 0),
        SD_BUS_VTABLE_END,
};

static int find_root(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                sd_bus_error *error) {
        *ret_found = userdata;
        return streq(path, HYPER_HOSTS_BUS_PATH);
}

int hosts_bus_register(Hosts *h) {
        /* A fallback, as hosts and VMs below it are: sd-bus does not mix the two at one path. */
        int r = sd_bus_add_fallback_vtable(h->bus, &h->slots[0], HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, hosts_vtable, find_root, h);

        if (r >= 0)
                r = sd_bus_add_object_manager(h->bus, &h->slots[1], HYPER_HOSTS_BUS_PATH);
        return r < 0 ? r : hosts_objects_register(h);
}
