/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hosts API (hyper-hosts.socket). */

#include "api/http/router.h"

extern const Dialect hosts_dialect;
