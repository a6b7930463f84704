/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/kvm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "basic/fd-util.h"

bool kvm_works(void) {
        _cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

        if (fd < 0)
                return false;
        _cleanup_close_ int vm = ioctl(fd, KVM_CREATE_VM, 0);
        return vm >= 0;
}
