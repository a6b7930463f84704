/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The arguments of org.hyper1.VSphere: sources and filters. */

#include <stdlib.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "vsphered/login.h"
#include "vsphered/vm-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_(json_errors_done) JsonErrors login_errors = {}, filter_errors = {};
        VmFilter filter;
        Login login;

        if (!text)
                return 0;
        if (login_decode(text, &login, &login_errors) >= 0) {
                if (!login.name == !login.url || !login_equal(&login, &login))
                        abort();
                login_done(&login);
        } else if (login_errors.n_errors == 0)
                abort();
        if (vm_filter_decode(text, &filter, &filter_errors) >= 0)
                vm_filter_done(&filter);
        else if (filter_errors.n_errors == 0)
                abort();
        return 0;
}
