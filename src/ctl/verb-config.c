/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/hosts-client.h"
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

int verb_config(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(json_decrefp) json_t *config = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *text;
        int status, r;

        status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Asking for the configuration", "GetConfig", NULL);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Asking for the configuration");
        config = json_loads(text, 0, NULL);
        if (!json_is_object(config)) {
                log_error("Asking for the configuration failed: the answer is not JSON.");
                return EXIT_OTHER;
        }
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, config);
        return print_yaml(ctl, config, 0) < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

int verb_reload(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = client_connect(ctl, &bus);

        if (status == EXIT_OK)
                status = client_call(ctl, bus, NULL, "Reading the configuration again", "Reload", NULL);
        return status == EXIT_OK ? hosts_reload(ctl, bus) : status;
}
