/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A VM's statistics as the hosts API has them. */

#include "hosts/vm.h"

/* The last sample of @vm, JSON text; NULL when out of memory. The caller frees. */
char *vm_stats_to_json(const Vm *vm);
