/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions of named sources, from the bus. */

#include <stdlib.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "manager/source.h"
#include "spec/vsphere-server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_(source_definition_done) SourceDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = text ? source_definition_decode(text, &d, &errors) : -ENOMEM;

        if (r == -EBADMSG && errors.n_errors == 0)
                abort();
        if (r >= 0 &&
                        (!vsphere_source_name_is_valid(d.name) || !startswith(d.url, "https://") ||
                                        isempty(d.username)))
                abort();
        return 0;
}
