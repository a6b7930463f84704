/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"

/* POST /jobs/cancel */
int hypersdk_cancel(Request *r);
