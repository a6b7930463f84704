/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings that change while the daemon runs. */

#include "hosts/hosts.h"

/* Reads the configuration again; what waits now keeps its timeout. On failure the old one stays in force,
 * and *ret_why is why, for people (caller frees; may be NULL). 0 or negative errno. */
int hosts_reload(Hosts *h, char **ret_why);
