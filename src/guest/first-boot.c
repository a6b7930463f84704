/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/first-boot.h"

#include "guest/buffer.h"

static void add_line(Buffer *b, const char *word, const char *first, const char *second) {
        buffer_add_text(b, word);
        buffer_add_text(b, " ");
        buffer_add_text(b, first);
        if (second) {
                buffer_add_text(b, " ");
                buffer_add_text(b, second);
        }
        buffer_add_text(b, "\r\n");
}

char *first_boot_text(const WindowsNetwork *network) {
        _cleanup_buffer_ Buffer b = {};
        char *text;

        for (size_t n = 0; n < network->n; n++) {
                const WindowsInterface *i = &network->items[n];

                add_line(&b, "interface", i->id, i->mac[0] ? i->mac : "-");
                if (!i->fixed)
                        continue;
                for (size_t k = 0; k < i->n_addresses; k++)
                        add_line(&b, "address", i->addresses[k].address, i->addresses[k].mask);
                for (size_t k = 0; k < i->n_gateways; k++)
                        add_line(&b, "gateway", i->gateways[k], NULL);
                for (size_t k = 0; k < i->n_servers; k++)
                        add_line(&b, "dns", i->servers[k], NULL);
        }
        return buffer_finish(&b, &text, NULL) < 0 ? NULL : text;
}
