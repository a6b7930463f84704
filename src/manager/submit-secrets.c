/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/submit-secrets.h"

#include "basic/log.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"

static int store_secret(Manager *m, CredentialOwner owner, const char *id, const char *name,
                const char *value, JsonErrors *fields, sd_bus_error *error) {
        int r;

        if (strlen(value) > CREDENTIAL_SIZE_MAX)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_SPEC, name,
                                "must be at most %u bytes long", (unsigned) CREDENTIAL_SIZE_MAX);
        r = credential_store(m->state_directory, owner, id, name, value);
        if (r >= 0 || r == -ENOMEM)
                return r;
        log_error_errno(r, "Failed to encrypt %s of %s with systemd-creds: %m", name, id);
        return bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL,
                        "The secret %.64s could not be encrypted; see the log of hyper-managerd", name);
}

int manager_store_secrets(Manager *m, CredentialOwner owner, const char *id, const JobSpec *spec,
                const SubmitOptions *o, JsonErrors *fields, sd_bus_error *error) {
        const char *name;
        json_t *value;
        int r;

        for (char *const *s = o->secrets; s && s[0] && s[1]; s += 2) {
                r = store_secret(m, owner, id, s[0], s[1], fields, error);
                if (r < 0)
                        return r;
        }
        json_object_foreach(spec->secrets, name, value) {
                r = store_secret(m, owner, id, name, json_string_value(value), fields, error);
                if (r < 0)
                        return r;
        }
        return 0;
}
