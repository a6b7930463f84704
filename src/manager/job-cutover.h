/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When the cutover of a warm job begins. */

#include "manager/manager.h"

/* SetCutover: @when is "now", "cancel", or a time as in RFC 3339. *ret_warning is NULL, or what the caller
 * should know, and belongs to it. 0, or negative errno with @error. */
int manager_set_cutover(
                Manager *m, const char *id, const char *when, char **ret_warning, sd_bus_error *error);
