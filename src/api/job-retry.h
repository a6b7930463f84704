/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /jobs/{id}/retry, the same in each dialect but for the answer. */

#include "api/bus-client.h"

/* Calls org.hyper1.Manager.RetryJob for the job of the path. The body may be left out, or have the job's
 * secrets, which were removed when it failed: {"secrets": {"source.tls_psk": "…"}}. 0 or negative errno. */
int job_retry_call(Request *r, manager_reply_func on_reply);
