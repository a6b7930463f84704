/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"

/* Cross-origin resource sharing, for pages of configured origins: what every answer to them has,
 * and what the answer to their browser's question beforehand has besides; @methods is a list. 0 or
 * -ENOMEM. */
int request_add_cors(Request *r);
int request_add_preflight(Request *r, const char *methods);
