/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/systemd-version.h"

#include <stdlib.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/systemd-names.h"

unsigned systemd_version_parse(const char *text) {
        unsigned long n;
        char *end;

        text += strcspn(text, "0123456789");
        n = strtoul(text, &end, 10);
        return end == text || n > 100000 ? 0 : (unsigned) n;
}

unsigned systemd_version_ask(sd_bus *bus) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = NULL;
        unsigned version;
        int r = sd_bus_get_property_string(
                        bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Version", &error, &text);

        version = r < 0 ? 0 : systemd_version_parse(text);
        if (version == 0)
                log_warning("The version of systemd is not known (%s); using settings of the oldest one.",
                                r < 0 ? strna(error.message) : text);
        return version;
}
