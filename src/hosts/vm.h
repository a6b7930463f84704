/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A VM as it was last seen. It outlives the connection to its host. */

#include <uthash.h>

#include "hosts/libvirt-sample.h"
#include "store/hosts.h"

typedef struct Host Host;

typedef struct Vm {
        Host *host;
        VmRow row;
        const char *task; /* what it was asked to do and has not done yet: "STARTING"; NULL: nothing */
        usec_t started; /* monotonic: when it was seen to start; 0: before this daemon looked */
        unsigned round; /* of the list that had it last */
        VmSample now, before; /* its last two samples; at is 0: none */
        bool wanted; /* while a poll is put together: it is in it already */
        UT_hash_handle hh; /* by UUID */
} Vm;

/* No subscription may refer to it any more (stats_vm_gone()). */
Vm *vm_free(Vm *vm);
bool vm_is_active(const Vm *vm) _pure_;
