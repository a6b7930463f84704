/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* DeployVm: checks images in a thread, and has hyper-hostd define a domain for them. */

#include <systemd/sd-bus.h>

int method_deploy_vm(sd_bus_message *message, void *userdata, sd_bus_error *error);
