/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* True if this process can make a virtual machine with KVM: the device exists in places where it cannot be
 * used. */
bool kvm_works(void);
