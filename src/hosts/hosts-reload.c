/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/hosts-reload.h"

#include "hosts/host-connect.h"
#include "shared/daemon.h"

int hosts_reload(Hosts *h, char **ret_why) {
        int r = daemon_reload_settings(h->config_directory, STATEDIR, &h->settings, ret_why);

        if (r >= 0 && h->idle_timer) /* it looks again then */
                (void) sd_event_source_set_time_relative(h->idle_timer, h->settings->daemon.idle_timeout);
        if (r >= 0) {
                Host *host, *next;

                HASH_ITER(hh, h->by_id, host, next) {
                        host_check_uri(host);
                }
        }
        return r;
}
