/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/boot-mark.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"

/* In the runtime directory, which a boot empties: all timers were set in this boot. (The boot id in
 * /proc/sys is not visible with ProcSubset=pid.) */
#define MARK "restored"

int boot_mark_is_set(Manager *m) {
        _cleanup_free_ char *mark = strprintf("%s/" MARK, m->runtime_directory);

        if (!mark)
                return -ENOMEM;
        if (access(mark, F_OK) >= 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}

void boot_mark_set(Manager *m) {
        _cleanup_free_ char *mark = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (!m->restoring)
                return;
        m->restoring = false;
        mark = strprintf("%s/" MARK, m->runtime_directory);
        if (mark)
                fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                log_warning_errno(mark ? -errno : -ENOMEM,
                                "Failed to record that the timers of schedules are set: %m");
}
