/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The API on the bus: org.hyper1.Api, by which "hyperctl reload" and "hyperctl config" reach it. Without a
 * bus everything else works, and the name is taken as soon as there is one. */

#include "api/api.h"
#include "shared/settings.h"

typedef struct ApiBus ApiBus;

/* The part of a configuration that concerns the API. Its strings are @settings'. */
ApiConfig api_config_from_settings(const Settings *settings);

/* Takes the name on the bus at @address (NULL: the system bus). @settings, what is in force, is taken over
 * on success; Reload reads @config_directory. @api must outlive it. 0 or negative errno. */
int api_bus_new(Api *api, const char *address, const char *config_directory, Settings *settings,
                ApiBus **ret);
ApiBus *api_bus_free(ApiBus *b);
DEFINE_CLEANUP_FUNC(ApiBus *, api_bus_free);
