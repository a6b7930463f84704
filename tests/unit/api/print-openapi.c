/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints the worker API's OpenAPI document, for check-openapi. */

#include <stdio.h>

#include "api/openapi/openapi.h"
#include "api/worker/worker-routes.h"

int main(void) {
        _cleanup_json_ json_t *document = openapi_document(&worker_dialect);

        if (!document || json_dumpf(document, stdout, JSON_INDENT(2)) < 0 || fflush(stdout) != 0)
                return EXIT_FAILURE;
        return EXIT_SUCCESS;
}
