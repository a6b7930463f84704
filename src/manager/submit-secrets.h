/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "manager/credentials.h"
#include "manager/manager.h"
#include "manager/submit-options.h"

/* Encrypts and keeps the secrets of the options and those that were still in the spec. */
int manager_store_secrets(Manager *m, CredentialOwner owner, const char *id, const JobSpec *spec,
                const SubmitOptions *o, JsonErrors *fields, sd_bus_error *error);
