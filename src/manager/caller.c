/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/caller.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/error-table.h"

#define API_USER "hyper-api"

int caller_judge(const Caller *caller, const char *wanted, Role *ret, sd_bus_error *error) {
        Role most = caller->is_api || caller->role == ROLE_ADMIN ? ROLE_ADMIN : ROLE_OPERATOR, role;

        if (!wanted) {
                *ret = caller->is_api ? ROLE_OPERATOR : most;
                return 0;
        }
        role = role_from_string(wanted);
        if (role != ROLE_OPERATOR && role != ROLE_ADMIN)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "options.role: must be operator or admin");
        if (role > most)
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "options.role: an %s may not act as %s; root and members of the group %s may",
                                role_to_string(most), wanted, ROLE_GROUP_ADMIN);
        *ret = role;
        return 0;
}

int caller_role(sd_bus_message *m, const char *wanted, Role *ret, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        Caller caller = {};
        uid_t uid;
        int r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r < 0) /* gone, most likely */
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "The bus does not know the user of the caller");
        r = role_of_user(uid, &caller.role);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_error_errno(r, "Failed to read the groups of user %u: %m", (unsigned) uid);
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The groups of the caller cannot be read; try again");
        }
        caller.is_api = uid != 0 && user_is(uid, API_USER);
        return caller_judge(&caller, wanted, ret, error);
}
