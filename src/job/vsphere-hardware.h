/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hardware of a VM of vSphere as the result of a job has it. */

#include "spec/vm.h"
#include "vsphere/vm.h"

/* 0 or -ENOMEM. */
int vsphere_hardware(const VmDetail *d, VmHardware **ret);
