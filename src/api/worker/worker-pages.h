/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"

/* GET /docs, /redoc, /docs/{file} */
int worker_get_docs(Request *r);
int worker_get_redoc(Request *r);
int worker_get_docs_file(Request *r);
extern const Reply worker_page_replies[], worker_docs_file_replies[];
