/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/router.h"

/* HyperSDK's v1 API, over TLS. Below /api/v1 and without it, it has the routes of the HyperSDK API, too. */
extern const Dialect v1_dialect;
