/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/manager-reload.h"

#include "basic/log.h"
#include "manager/queue.h"
#include "manager/slurm/slurm-feed.h"
#include "manager/webhook/outbox.h"
#include "manager/webhook/webhook.h"
#include "shared/daemon.h"
#include "store/limits.h"

void manager_publish_limits(Manager *m) {
        _cleanup_free_ char *labels = labels_to_text(m->settings->worker.labels);
        int r = labels ? store_limits_publish(m->store) : -ENOMEM;

        if (r >= 0)
                r = store_placement_set_local(m->store, m->settings->worker.local, labels);
        if (r < 0)
                log_warning_errno(r, "Failed to record the limits and labels for the API: %m");
}

int manager_reload(Manager *m, char **ret_error) {
        /* The database is open: another path is a matter for the next start. */
        int r = daemon_reload_settings(m->config_directory, m->state_directory, &m->settings, ret_error);

        if (r < 0)
                return r;
        store_limits_set_rules(m->store, &m->settings->limits);
        manager_publish_limits(m);
        m->limits_changed = true;
        if (m->idle_timer) /* it looks again then */
                (void) sd_event_source_set_time_relative(m->idle_timer, m->settings->daemon.idle_timeout);
        (void) sd_bus_emit_properties_changed(
                        m->bus, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "MaxRunning", NULL);
        queue_look_again(m);
        r = manager_sync_webhooks(m);
        if (r < 0)
                log_error_errno(r, "Failed to put the webhooks of the configuration in force: %m");
        outbox_wake(m->outbox);
        slurm_feed_wake(m->slurm);
        return 0;
}
