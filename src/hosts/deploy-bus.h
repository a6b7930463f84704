/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* DeployVm: a domain for disks that hyper-managerd has checked. */

#include <systemd/sd-bus.h>

int hosts_method_deploy_vm(sd_bus_message *message, void *userdata, sd_bus_error *error);
