/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon ends when there is no host and no call. */

#include "hosts/hosts.h"

int hosts_idle_start(Hosts *h);
