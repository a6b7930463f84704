/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "api/access/audit.h"
#include "api/access/client-address.h"
#include "api/http/request-state.h"
#include "basic/string-util.h"
#include "journal/journal-audit.h"

/* Queries that are too long for an address are sent with POST. */
static bool is_change(const Request *r) {
        return r->route && r->method != HTTP_GET && r->route->scope > SCOPE_READ && r->status / 100 == 2;
}

void audit_request(Request *r) {
        const char *user = r->session ? r->session->username : r->key_name;
        char address[INET6_ADDRSTRLEN];

        if (!is_change(r) || isempty(user))
                return;
        const char *from = client_address_text(r, address);
        (void) sd_journal_send("MESSAGE=%s %s of %s %s (%s) from %s: %u", http_method_to_string(r->method),
                        strempty(r->path_text), r->session ? "user" : "key", user, role_to_string(r->role),
                        isempty(from) ? "this machine" : from, r->status, "PRIORITY=%i", LOG_INFO,
                        "HYPER_AUDIT=%s", audit_kind_to_string(AUDIT_REQUEST), "HYPER_USER=%s", user,
                        "HYPER_ROLE=%s", role_to_string(r->role), "HYPER_ADDRESS=%s", from, NULL);
}
