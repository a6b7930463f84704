/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/vm.h"

#include <libvirt/libvirt.h>

Vm *vm_free(Vm *vm) {
        if (!vm)
                return NULL;
        vm_sample_done(&vm->now);
        vm_sample_done(&vm->before);
        vm_row_done(&vm->row);
        return mfree(vm);
}

bool vm_is_active(const Vm *vm) {
        return vm->row.state != VIR_DOMAIN_SHUTOFF && vm->row.state != VIR_DOMAIN_CRASHED;
}
