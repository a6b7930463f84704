/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Whether a guest will do for the operations @fix, or for an inspection (0). @found: there is an operating
 * system; @known: it is one that can be changed. "auto" leaves all others as they are. */
bool work_is_possible(unsigned fix, bool found, bool known) _pure_;

/* Carries the orders out, from the start of the appliance to its end. 0 with the result (new reference), or
 * negative errno after guest_fail(). */
int work_run(Guest *guest, json_t **ret);
