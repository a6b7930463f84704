/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/daemons.h"
#include "ctl/text.h"
#include "ctl/verb-config.h"

/* As YAML that /etc/hyper/config.yaml would take: JSON scalars and lists are YAML's flow style. */
static int print_yaml(Ctl *ctl, json_t *object, int indent) {
        const char *key;
        json_t *value;

        json_object_foreach(object, key, value) {
                _cleanup_free_ char *text = NULL;
                int r;

                if (json_is_object(value) && json_object_size(value) > 0) {
                        printf("%*s%s:\n", indent, "", key);
                        r = print_yaml(ctl, value, indent + 2);
                        if (r < 0)
                                return r;
                        continue;
                }
                text = text_json(value, false, ctl->out.utf8);
                if (!text)
                        return -ENOMEM;
                printf("%*s%s: %s\n", indent, "", key, text);
        }
        return 0;
}

/* What a daemon has in force, without the sections that it does not use. */
static int get_config(Ctl *ctl, sd_bus *bus, const CtlDaemon *d, json_t **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(json_decrefp) json_t *config = NULL;
        const char *text;
        int status, r;

        status = ctl_daemon_call(ctl, bus, d, "GetConfig", "Asking for the configuration", &reply);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Asking for the configuration");
        config = json_loads(text, 0, NULL);
        if (!json_is_object(config)) {
                log_error("Asking for the configuration failed: the answer of %s is not JSON.", d->name);
                return EXIT_OTHER;
        }
        for (size_t i = 0; i < ELEMENTSOF(d->unused) && d->unused[i]; i++)
                (void) json_object_del(config, d->unused[i]);
        *ret = TAKE_PTR(config);
        return EXIT_OK;
}

static int print_daemon(Ctl *ctl, const CtlDaemon *d, json_t *config, bool first) {
        if (!first)
                putchar('\n');
        if (!config) {
                printf("# %s is not running, and reads the configuration when it starts\n", d->name);
                return 0;
        }
        printf("# in force in %s\n", d->name);
        return print_yaml(ctl, config, 0);
}

int verb_config(Ctl *ctl, char **words) {
        _cleanup_(json_decrefp) json_t *all = json_object();
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        status = client_connect(ctl, &bus);
        for (const CtlDaemon *d = ctl_daemons(); d->name && status == EXIT_OK; d++) {
                _cleanup_(json_decrefp) json_t *config = NULL;

                if (ctl_daemon_is_there(bus, d))
                        status = get_config(ctl, bus, d, &config);
                if (status != EXIT_OK)
                        return status;
                if (ctl->args.json == JSON_MODE_OFF && print_daemon(ctl, d, config, d == ctl_daemons()) < 0)
                        return log_oom(), EXIT_OTHER;
                if (!all ||
                                json_object_set_new(all, d->name,
                                                config ? json_incref(config) : json_null()) < 0)
                        return log_oom(), EXIT_OTHER;
        }
        if (status != EXIT_OK || ctl->args.json == JSON_MODE_OFF)
                return status;
        return client_print_json(ctl, all);
}

/* Names what the daemon has not put in force. */
static int tell_restart_needed(Ctl *ctl, sd_bus *bus, const CtlDaemon *d) {
        _cleanup_strv_free_ char **settings = NULL;
        int r;

        r = ctl_daemon_restart_needed(bus, d, &settings);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Asking what requires a restart");
        STRV_FOREACH(s, settings) {
                log_warning("%s: the new value of %s is in force after \"systemctl restart %s\".", d->name,
                                *s, d->unit);
        }
        return EXIT_OK;
}

static int reload_daemon(Ctl *ctl, sd_bus *bus, const CtlDaemon *d) {
        _cleanup_free_ char *what = strprintf("Reloading the configuration of %s", d->name);
        int status;

        if (!what)
                return log_oom(), EXIT_OTHER;
        if (!ctl_daemon_is_there(bus, d))
                return EXIT_OK;
        status = ctl_daemon_call(ctl, bus, d, "Reload", what, NULL);
        return status == EXIT_OK ? tell_restart_needed(ctl, bus, d) : status;
}

/* A mistake in the configuration is the same for all that read the same file; else each daemon is tried. */
int verb_reload(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int first;

        first = client_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        for (const CtlDaemon *d = ctl_daemons(); d->name; d++) {
                int status;

                if (first == EXIT_REFUSED && !d->has_own_file)
                        continue;
                status = reload_daemon(ctl, bus, d);
                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}
