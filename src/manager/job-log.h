/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GetJobLog: the log of a job by page. A thread reads it, since a large journal takes time. */

#include <systemd/sd-bus.h>

int method_get_job_log(sd_bus_message *message, void *userdata, sd_bus_error *error);
