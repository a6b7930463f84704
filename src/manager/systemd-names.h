/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* systemd on the bus (org.freedesktop.systemd1(5)). */

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
