/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/api-bus.h"
#include "api/bus-client.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "shared/daemon.h"
#include "shared/error-table.h"
#include "json/json-table.h"

/* How long to wait for the bus after it was lost. */
#define RETRY_PAUSE USEC_PER_SEC

struct ApiBus {
        Api *api;
        char *address; /* NULL: the system bus */
        char *config_directory;
        Settings *settings; /* in force */
        sd_bus *bus; /* NULL: not connected */
        sd_event_source *retry; /* connects again */
        PolkitRegistry *polkit;
};

ApiConfig api_config_from_settings(const Settings *settings) {
        return (ApiConfig){
                .database = settings->database.path,
                .metrics = settings->metrics.enabled,
                .cors_origins = settings->api.cors_origins,
                .require_key = settings->api.require_key,
                .local_anybody = settings->api.local == LOCAL_ANYBODY,
                .submit_status = settings->hypersdk.submit_status,
                .rate_limit = settings->api.rate_limit,
                .rate_burst = settings->api.rate_burst,
                .v1_rate_limit = settings->v1.rate_limit,
                .v1_user_rate_limit = settings->v1.user_rate_limit,
                .idle_timeout = settings->daemon.idle_timeout,
        };
}

/* --- methods --------------------------------------------------------------------------------------- */

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        ApiBus *b = userdata;
        ApiConfig config;
        int r;

        r = bus_verify_polkit(message, "org.hyper1.manage-jobs", &b->polkit, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = daemon_reload_settings(b->config_directory, STATEDIR, &b->settings, &why);
        if (r < 0 && why)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "%s", why);
        if (r < 0)
                return r;
        config = api_config_from_settings(b->settings);
        r = api_configure(b->api, &config);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int method_get_config(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ApiBus *b = userdata;
        _cleanup_json_ json_t *config = settings_to_json(b->settings);
        _cleanup_free_ char *text = config ? json_dumps(config, JSON_COMPACT) : NULL;

        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

static int get_restart_needed(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        ApiBus *b = userdata;

        return sd_bus_message_append_strv(reply, b->settings->restart_needed);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetConfig", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", config), method_get_config,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("RestartNeeded", "as", get_restart_needed, 0, 0),
        SD_BUS_VTABLE_END,
};

/* --- the connection -------------------------------------------------------------------------------- */

static void api_bus_disconnect(ApiBus *b) {
        b->polkit = bus_polkit_registry_free(b->polkit);
        b->bus = sd_bus_close_unref(b->bus);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        ApiBus *b = userdata;

        api_bus_disconnect(b);
        (void) sd_event_source_set_time_relative(b->retry, RETRY_PAUSE);
        return sd_event_source_set_enabled(b->retry, SD_EVENT_ONESHOT);
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e)
                log_warning("Failed to take the name %s on the bus: %s. \"hyperctl reload\" does not reach "
                            "the API.",
                                HYPER_API_BUS_NAME, strempty(e->message));
        return 0;
}

static int api_bus_connect(ApiBus *b) {
        int r;

        r = api_bus_open(b->address, "hyper-apid-name", &b->bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(b->bus, api_event(b->api), SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(b->bus, NULL, NULL, NULL, "org.freedesktop.DBus.Local", "Disconnected",
                        on_disconnected, b);
        if (r < 0)
                return r;
        r = sd_bus_add_object_vtable(b->bus, NULL, HYPER_API_BUS_PATH, HYPER_API_INTERFACE, vtable, b);
        if (r < 0)
                return r;
        return sd_bus_request_name_async(b->bus, NULL, HYPER_API_BUS_NAME, 0, on_name, b);
}

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        ApiBus *b = userdata;
        int r;

        r = api_bus_connect(b);
        if (r >= 0)
                return 0;
        log_debug_errno(r, "Failed to connect to the bus: %m");
        api_bus_disconnect(b);
        (void) sd_event_source_set_time_relative(s, RETRY_PAUSE);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

ApiBus *api_bus_free(ApiBus *b) {
        if (!b)
                return NULL;
        sd_event_source_disable_unref(b->retry);
        bus_polkit_registry_free(b->polkit);
        sd_bus_flush_close_unref(b->bus);
        settings_free(b->settings);
        free(b->address);
        free(b->config_directory);
        return mfree(b);
}

int api_bus_new(Api *api, const char *address, const char *config_directory, Settings *settings,
                ApiBus **ret) {
        _cleanup_(api_bus_freep) ApiBus *b = new0(ApiBus, 1);
        int r;

        if (!b)
                return -ENOMEM;
        b->api = api;
        b->address = address ? strdup(address) : NULL;
        b->config_directory = strdup(config_directory);
        if ((address && !b->address) || !b->config_directory)
                return -ENOMEM;
        /* The first try, too: the API starts without waiting for the bus. */
        r = sd_event_add_time_relative(api_event(api), &b->retry, CLOCK_MONOTONIC, 0, 0, on_retry, b);
        if (r < 0)
                return r;
        b->settings = settings;
        *ret = TAKE_PTR(b);
        return 0;
}
