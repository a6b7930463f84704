/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The screenshot of a proof of boot, which hyper-job has kept (job/kvm-boot.c). */

#include <systemd/sd-bus.h>

#include "manager/job.h"

/* org.hyper1.Job.Screenshot; the userdata is the Job. */
int job_method_screenshot(sd_bus_message *message, void *userdata, sd_bus_error *error);
