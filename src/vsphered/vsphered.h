/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-vsphered: owns org.hyper1.VSphere. What it depends on is given to it, so that tests use a private
 * bus. */

#include "vsphered/state.h"

typedef struct VspheredOptions {
        sd_event *event;
        sd_bus *bus;
        Settings *settings; /* also freed on failure */
        usec_t call_timeout; /* 0: a minute */
        usec_t session_idle; /* 0: a minute */
} VspheredOptions;

int vsphered_new(const VspheredOptions *options, Vsphered **ret);
Vsphered *vsphered_free(Vsphered *v);
DEFINE_CLEANUP_FUNC(Vsphered *, vsphered_free);
