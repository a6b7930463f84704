/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/daemons.h"

static const CtlDaemon daemons[] = {
        { "hyper-managerd", "hyper-managerd.service", HYPER_BUS_NAME, HYPER_BUS_PATH,
                        HYPER_MANAGER_INTERFACE, "org.hyper1.manage-jobs", true,
                        { "api", "hosts", "hypersdk", "metrics" } },
        { "hyper-apid", "hyper.service", HYPER_API_BUS_NAME, HYPER_API_BUS_PATH, HYPER_API_INTERFACE,
                        "org.hyper1.manage-jobs", false, { "hosts", "jobs", "webhooks", "worker" } },
        { "hyper-hostd", "hyper-hostd.service", HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, "org.hyper1.manage-hosts", false,
                        { "api", "database", "hypersdk", "jobs", "metrics", "webhooks", "worker" } },
        { "hyper-agentd", "hyper-agentd.service", HYPER_AGENT_BUS_NAME, HYPER_AGENT_BUS_PATH,
                        HYPER_AGENT_INTERFACE, "org.hyper1.manage-jobs", false, {}, true },
        {},
};

const CtlDaemon *ctl_daemons(void) {
        return daemons;
}

bool ctl_daemon_is_there(sd_bus *bus, const CtlDaemon *d) {
        /* -ENXIO: the name has no owner. */
        return d->is_started || sd_bus_get_name_creds(bus, d->bus_name, 0, NULL) != -ENXIO;
}

int ctl_daemon_call(Ctl *ctl, sd_bus *bus, const CtlDaemon *d, const char *method, const char *what,
                sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        ctl->daemon = d->name;
        ctl->action = d->action;
        r = sd_bus_message_new_method_call(bus, &m, d->bus_name, d->path, d->interface, method);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        r = sd_bus_message_set_auto_start(m, d->is_started);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        return client_call_message(ctl, bus, m, ret, what);
}

int ctl_daemon_restart_needed(sd_bus *bus, const CtlDaemon *d, char ***ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        *ret = NULL;
        r = sd_bus_get_property_strv(bus, d->bus_name, d->path, d->interface, "RestartNeeded", &error, ret);
        return sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_PROPERTY) ? 0 : r;
}
