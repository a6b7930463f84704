/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hyper2kvm worker API (hyper-worker.socket): which routes there are. worker-decode reads requests,
 * worker-json writes replies. */

#include "api/http/request.h"

extern const Dialect worker_dialect;
