/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Orders of the first-boot helper: they become arguments of programs. */

#include "basic/string-util.h"
#include "firstboot/orders.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        static FirstBootOrders orders;
        Adapter a = { .index = 1, .mac = "00:50:56:95:08:bb" };
        char command[COMMAND_MAX];

        if (!text || !first_boot_orders_parse(text, &orders))
                return 0;
        orders_assign(&orders, &a, 1);
        for (size_t i = 0; orders_command(&a, i, command); i++)
                if (strspn(command, "abcdefghijklmnopqrstuvwxyz0123456789.= ") != strlen(command))
                        abort();
        return 0;
}
