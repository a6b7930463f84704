/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/unit-fields.h"

#include <stdlib.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"

void unit_fields_forget(const char *directory) {
        const char *slash = strrchr(directory, '/');
        /* Directories and units have the same escaped IDs. */
        _cleanup_free_ char *path = strprintf("/run/systemd/units/log-extra-fields:hyper-job-%s.service",
                        slash ? slash + 1 : directory);

        /* Only commands of ExecStopPost= have it. In the unit of finish-later, others follow; the last one is
         * rm(1). */
        if (!getenv("SERVICE_RESULT"))
                return;
        if (path && unlink(path) < 0 && errno != ENOENT)
                log_warning_errno(errno, "Failed to remove %s: %m", path);
}
