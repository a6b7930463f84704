/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Named sources in the manager: a server with the user that logs in to it. The password is encrypted by
 * systemd-creds(1) as the secret "source.password", in a set that the row names (manager/credentials.h).
 * A job that names a source gets the encrypted password as its own, so it does not depend on the source any
 * more. hyper-vsphered gets it decrypted, for a source that it has to log in to. */

#include "manager/manager.h"
#include "store/sources.h"
#include "json/json-table.h"

#define SOURCES_MAX 256u
#define SOURCE_PASSWORD_MAX 1024u

typedef struct SourceDefinition {
        char *name, *type, *url, *username, *datacenter, *ca, *thumbprint;
        bool replace; /* the one of this name, if there is one */
} SourceDefinition;

void source_definition_done(SourceDefinition *d);
/* {"name", "type", "vcenter_url", "username", "datacenter", "ca", "thumbprint", "replace"}, as text; unknown
 * fields are refused. The address and the thumbprint are normalized (spec/vsphere-server.h). 0, -EBADMSG with
 * all that is wrong in @errors, -ENOMEM. */
int source_definition_decode(const char *text, SourceDefinition *ret, JsonErrors *errors);

/* These: 0, or negative errno with @error set. */
int manager_add_source(Manager *m, const char *definition, const char *password, JsonErrors *fields,
                sd_bus_error *error);
int manager_remove_source(Manager *m, const char *name, sd_bus_error *error);
/* The source of this name, or NoSuchSource with the names of those that exist (caller frees the row). */
int manager_find_source(Manager *m, const char *name, SourceRow **ret, sd_bus_error *error);
/* The password, decrypted, NUL-terminated; the caller's to wipe and free. */
int manager_reveal_source(Manager *m, const SourceRow *row, char **ret, sd_bus_error *error);

/* Gives a job the encrypted password of a source, as its secret "source.password". 0 or negative errno. */
int manager_give_source(Manager *m, const SourceRow *row, const char *job_id);
