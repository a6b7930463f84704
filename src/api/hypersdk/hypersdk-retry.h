/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"

/* POST /jobs/{id}/retry */
int hypersdk_retry(Request *r);
