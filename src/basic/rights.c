/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/rights.h"

typedef struct Sets {
        uint64_t effective, permitted, inheritable;
} Sets;

static uint64_t mask(unsigned rights) {
        return ((rights & RIGHTS_READ) ? UINT64_C(1) << CAP_DAC_READ_SEARCH : 0) |
                        ((rights & RIGHTS_WRITE) ? UINT64_C(1) << CAP_DAC_OVERRIDE : 0);
}

static int get(Sets *ret) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {};

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        *ret = (Sets){
                .effective = data[0].effective | (uint64_t) data[1].effective << 32,
                .permitted = data[0].permitted | (uint64_t) data[1].permitted << 32,
                .inheritable = data[0].inheritable | (uint64_t) data[1].inheritable << 32,
        };
        return 0;
}

static int set(const Sets *s) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        for (unsigned i = 0; i < 2; i++)
                data[i] = (struct __user_cap_data_struct){
                        .effective = (uint32_t) (s->effective >> (32 * i)),
                        .permitted = (uint32_t) (s->permitted >> (32 * i)),
                        .inheritable = (uint32_t) (s->inheritable >> (32 * i)),
                };
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int put_into_force(uint64_t rights) {
        Sets s;
        int r = geteuid() == 0 ? 0 : get(&s);

        if (r < 0 || geteuid() == 0)
                return r;
        s.effective = s.permitted & rights;
        return set(&s);
}

int rights_init(void) {
        return put_into_force(0);
}

void rights_raise(unsigned rights) {
        (void) put_into_force(mask(rights));
}

void rights_lower(void) {
        (void) put_into_force(0);
}

/* A capability that is not permitted and inheritable is not ambient either, capabilities(7). */
int rights_keep(unsigned rights) {
        Sets s;
        int r = geteuid() == 0 ? 0 : get(&s);

        if (r < 0 || geteuid() == 0)
                return r;
        s.effective = 0;
        s.permitted &= mask(rights);
        s.inheritable &= mask(rights);
        return set(&s);
}

int rights_hand_on(unsigned rights) {
        return rights_keep(rights);
}
