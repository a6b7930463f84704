/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* Which systemd runs: some settings of units depend on it (src/README.md, "Detours"). */

/* Of "252.39-1~deb12u1" or "v257.9": 252, 257. 0: it is not known. */
unsigned systemd_version_parse(const char *text);
/* Asks it, and waits for the answer. 0 as above, with a warning. */
unsigned systemd_version_ask(sd_bus *bus);
