/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /jobs/{id}/boot-screen, the same in each dialect: the last screen of the proof of boot, as a PNG
 * image. */

#include "api/http/request.h"
#include "api/http/router.h"

int job_screenshot(Request *r);

extern const Reply job_screenshot_replies[];
