/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The capabilities that a job's unit gives to "hyper-job run" (manager/unit-properties.c): to read images
 * that belong to somebody else, and to connect to sockets and write to block devices that do. They are in
 * force only while a file is opened or a server connected to; what is not needed for that is given up for
 * good. As root, in a shell, nothing is changed. */

#include "basic/macro.h"

typedef enum Rights {
        RIGHTS_READ = 1 << 0, /* CAP_DAC_READ_SEARCH */
        RIGHTS_WRITE = 1 << 1, /* CAP_DAC_OVERRIDE */
} Rights;

/* Takes them out of force. 0 or negative errno. */
int rights_init(void);

/* Puts them into force for this thread, or takes them out of it again. What is not there is not missed. */
void rights_raise(unsigned rights);
void rights_lower(void);

/* Gives up all but @rights for good. 0 or negative errno. */
int rights_keep(unsigned rights);

/* For a child between fork() and execve(), signal-safety(7): it gets @rights, none of the others. */
int rights_hand_on(unsigned rights);
