/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hyper2kvm worker API (hyper-worker.socket): which routes there are. worker-decode reads what clients
 * send, worker-json words what they get. */

#include "api/http/request.h"

extern const Dialect worker_dialect;

/* GET /metrics */
int worker_get_metrics(Request *r);

/* GET /docs, /redoc, /docs/{file} */
int worker_get_docs(Request *r);
int worker_get_redoc(Request *r);
int worker_get_docs_file(Request *r);
extern const Reply worker_page_replies[], worker_docs_file_replies[];
