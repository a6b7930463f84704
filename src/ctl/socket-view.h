/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Shows the sockets of the HTTP APIs, their addresses, and whether they listen. Names those that have failed.
 * Returns an ExitStatus: EXIT_UNAVAILABLE if there is one. */
int socket_view(Ctl *ctl);
