/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/vsphere-client.h"

#include <stdarg.h>

#include "json/json-table.h"

int vsphere_connect(Ctl *ctl, sd_bus **ret) {
        ctl->daemon = "hyper-vsphered";
        ctl->action = "org.hyper1.use-vsphere";
        return client_connect(ctl, ret);
}

int vsphere_call(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *method,
                const char *source, const char *types, ...) {
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_json_ json_t *named = json_pack("{s:s}", "name", source);
        _cleanup_free_ char *text = named ? json_dumps(named, JSON_COMPACT) : NULL;
        va_list ap;
        int r = text ? 0 : -ENOMEM;

        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, HYPER_VSPHERE_BUS_NAME, HYPER_VSPHERE_BUS_PATH,
                                HYPER_VSPHERE_INTERFACE, method);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", text);
        if (r >= 0 && types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
        }
        return r < 0 ? client_failure(ctl, NULL, r, what) : client_call_message(ctl, bus, m, ret, what);
}
