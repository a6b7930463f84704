/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Carries the orders out, from the start of the appliance to its end. 0 with the result (new reference), or
 * negative errno after guest_fail(). */
int work_run(Guest *guest, json_t **ret);
