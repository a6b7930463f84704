/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/boot-view.h"
#include "basic/string-util.h"

int boot_view(Ctl *ctl, json_t *boot, size_t max) {
        const char *boots = view_string(boot, "boots");
        json_t *console = json_object_get(boot, "console");
        size_t n = json_array_size(console), first = n > max ? n - max : 0;
        int r = 0;

        if (*boots)
                r = view_line(ctl, "Boots", streq(boots, "yes") ? COLOUR_GREEN : COLOUR_YELLOW, "%s: %s",
                                boots, view_string(boot, "message"));
        for (size_t i = first; i < n && r >= 0; i++)
                r = view_line(ctl, i == first ? "Console" : "", COLOUR_NONE, "%s",
                                json_string_value(json_array_get(console, i)));
        return r < 0 ? r : view_line(ctl, "Screenshot", COLOUR_NONE, "%s", view_string(boot, "screenshot"));
}
