/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/access/request-submitter.h"

#include <stdio.h>

#include "api/access/client-address.h"
#include "api/http/request-state.h"
#include "basic/string-util.h"

/* hyper-managerd adds the name of a local user. */
static int append_fields(Request *r, sd_bus_message *m) {
        char uid[3 * sizeof(uid_t) + 1] = "", address[INET6_ADDRSTRLEN];
        bool remote = r->connection && !client_address_is_local(r);

        if (r->session || r->has_uid)
                (void) snprintf(uid, sizeof(uid), "%u", (unsigned) (r->session ? r->session->uid : r->uid));
        const struct {
                const char *name, *value;
        } fields[] = {
                { "user", r->session ? r->session->username : NULL },
                { "session", r->session ? r->session->id : NULL },
                { "key", r->key_name },
                { "uid", uid },
                { "address", remote ? client_address_text(r, address) : NULL },
        };
        int k = 0;

        for (size_t i = 0; k >= 0 && i < ELEMENTSOF(fields); i++)
                if (!isempty(fields[i].value))
                        k = sd_bus_message_append(m, "{ss}", fields[i].name, fields[i].value);
        return k;
}

int request_append_submitter(Request *r, sd_bus_message *m) {
        int k = sd_bus_message_open_container(m, 'e', "sv");

        if (k >= 0)
                k = sd_bus_message_append(m, "s", "submitter");
        if (k >= 0)
                k = sd_bus_message_open_container(m, 'v', "a{ss}");
        if (k >= 0)
                k = sd_bus_message_open_container(m, 'a', "{ss}");
        if (k >= 0)
                k = append_fields(r, m);
        for (unsigned i = 0; k >= 0 && i < 3; i++)
                k = sd_bus_message_close_container(m);
        return k;
}
