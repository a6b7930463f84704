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
                                "options.role: an %s may not act as %s; root and members of the group %s "
                                "may",
                                role_to_string(most), wanted, ROLE_GROUP_ADMIN);
        *ret = role;
        return 0;
}

bool caller_is_api(uid_t uid) {
        return uid != 0 && user_is(uid, API_USER);
}

void caller_cache_done(CallerCache *c) {
        c->sender = mfree(c->sender);
}

void submitter_cache_done(SubmitterCache *c) {
        submitter_done(&c->given);
        c->text = mfree(c->text);
}

static int ask(sd_bus_message *m, Caller *ret, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uid_t uid;
        int r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r < 0) /* gone, most likely */
                return bus_error_setf(error, HYPER_BUS_ERROR_ACCESS_DENIED,
                                "The bus does not know the user of the caller");
        r = role_of_user(uid, &ret->role);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_error_errno(r, "Failed to read the groups of user %u: %m", (unsigned) uid);
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "The groups of the caller cannot be read; try again");
        }
        ret->is_api = caller_is_api(uid);
        ret->uid = uid;
        return 0;
}

int caller_find(CallerCache *cache, sd_bus_message *m, const Caller **ret, sd_bus_error *error) {
        const char *sender = sd_bus_message_get_sender(m);
        usec_t now = now_monotonic();
        Caller caller = {};
        int r;

        if (!sender || !streq_ptr(cache->sender, sender) || now >= cache->until) {
                caller_cache_done(cache);
                r = ask(m, &caller, error);
                if (r < 0)
                        return r;
                if (sender)
                        cache->sender = strdup(sender); /* without memory it is asked again */
                cache->until = now + CALLER_CACHE_TIME;
                cache->caller = caller;
        }
        *ret = &cache->caller;
        return 0;
}

int caller_role(CallerCache *cache, sd_bus_message *m, const char *wanted, Role *ret, sd_bus_error *error) {
        const Caller *caller;
        int r = caller_find(cache, m, &caller, error);

        return r < 0 ? r : caller_judge(caller, wanted, ret, error);
}
