/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Orders of hyper-job for hyper-guest. */

#include "fuzz.h"
#include "guest/orders.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_orders_ Orders orders = {};

        if (orders_parse((const char *) data, size, &orders, &errors) >= 0 &&
                        json_array_size(orders.disks) == 0)
                abort();
        return 0;
}
