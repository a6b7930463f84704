/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* InspectSource: what the source of a job is, and what may prevent its migration, without a job. A thread
 * looks at a file (source-look.h); hyper-vsphered is asked about a VM of a vSphere server. */

#include <systemd/sd-bus.h>

int method_inspect_source(sd_bus_message *message, void *userdata, sd_bus_error *error);
