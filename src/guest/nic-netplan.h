/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/nic-name.h"

void nics_add_netplan(Nics *nics, const char *file, const char *text); /* netplan(5), ethernets only */
