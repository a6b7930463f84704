/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"

/* GET /docs, /redoc, /docs/{file} of a dialect with /openapi.json beside them. */
int docs_get_page(Request *r);
int docs_get_redoc(Request *r);
int docs_get_file(Request *r);
extern const Reply docs_page_replies[], docs_file_replies[];
