/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-service.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "json/json-table.h"

struct AgentService {
        AgentServiceOptions options;
        AgentSettings *settings; /* in force */
        Agent *agent;
        PolkitRegistry *polkit;
        sd_bus_slot *vtable, *name;
};

/* Its jobs are in files and go on: an agent can be replaced at any time. */
static int start(const AgentServiceOptions *o, const AgentSettings *settings, Agent **ret) {
        _cleanup_(agent_freep) Agent *a = NULL;
        const AgentOptions options = { .event = o->event,
                .bus = o->bus,
                .settings = settings,
                .directory = o->directory,
                .journal_directory = o->journal_directory };
        int level = log_level_from_string(settings->daemon.log_level), r;

        if (level >= 0 && !getenv("HYPER_LOG_LEVEL"))
                log_set_max_level(level);
        r = agent_new(&options, &a);
        if (r >= 0)
                r = agent_start(a);
        if (r < 0)
                return log_error_errno(r, "Failed to go on with the jobs in %s: %m", o->directory);
        *ret = TAKE_PTR(a);
        return 0;
}

/* --- methods --------------------------------------------------------------------------------------- */

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(agent_settings_freep) AgentSettings *settings = NULL;
        _cleanup_free_ char *why = NULL;
        AgentService *s = userdata;
        int r;

        r = bus_verify_polkit(message, "org.hyper1.manage-jobs", &s->polkit, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = agent_settings_load(s->options.config, s->options.credentials, &settings, &why);
        if (r < 0 && why)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "%s", why);
        if (r < 0)
                return r;
        s->agent = agent_free(s->agent);
        r = start(&s->options, settings, &s->agent);
        if (r < 0) { /* systemd starts it again */
                (void) sd_event_exit(s->options.event, EXIT_FAILURE);
                return r;
        }
        agent_settings_free(s->settings);
        s->settings = TAKE_PTR(settings);
        return sd_bus_reply_method_return(message, NULL);
}

static int method_get_config(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        AgentService *s = userdata;
        _cleanup_json_ json_t *config = agent_settings_to_json(s->settings);
        _cleanup_free_ char *text = config ? json_dumps(config, JSON_COMPACT) : NULL;

        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetConfig", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", config), method_get_config,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* --- the service ----------------------------------------------------------------------------------- */

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e)
                log_warning("Failed to take the name %s on the bus: %s. \"hyperctl reload\" does not reach "
                            "hyper-agentd.",
                                HYPER_AGENT_BUS_NAME, strempty(e->message));
        return 0;
}

AgentService *agent_service_free(AgentService *s) {
        if (!s)
                return NULL;
        sd_bus_slot_unref(s->name);
        sd_bus_slot_unref(s->vtable);
        bus_polkit_registry_free(s->polkit);
        agent_free(s->agent);
        agent_settings_free(s->settings);
        return mfree(s);
}

int agent_service_new(const AgentServiceOptions *options, AgentSettings *settings, AgentService **ret) {
        _cleanup_(agent_service_freep) AgentService *s = new0(AgentService, 1);
        int r;

        if (!s)
                return -ENOMEM;
        s->options = *options;
        r = start(options, settings, &s->agent);
        if (r >= 0)
                r = sd_bus_add_object_vtable(options->bus, &s->vtable, HYPER_AGENT_BUS_PATH,
                                HYPER_AGENT_INTERFACE, vtable, s);
        if (r >= 0)
                r = sd_bus_request_name_async(options->bus, &s->name, HYPER_AGENT_BUS_NAME, 0, on_name, s);
        if (r < 0)
                return r;
        s->settings = settings;
        *ret = TAKE_PTR(s);
        return 0;
}
