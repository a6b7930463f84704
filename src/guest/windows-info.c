/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/windows-info.h"

Windows *windows_free(Windows *w) {
        if (!w)
                return NULL;
        free(w->directory);
        free(w->system_hive);
        free(w->software_hive);
        free(w->set);
        windows_network_done(&w->network);
        return mfree(w);
}
