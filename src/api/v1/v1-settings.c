/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-settings.h"

Settings *v1_settings(void) {
        _cleanup_free_ char *why = NULL;
        Settings *s = NULL;

        return settings_load(SYSCONFDIR "/hyper", &s, &why) >= 0 ? s : settings_new();
}
