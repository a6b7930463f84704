/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration is read again. */

#include "manager/manager.h"

/* Reads the configuration again. -EBADMSG with *ret_error (caller frees): the old one stays in force. */
int manager_reload(Manager *m, char **ret_error);

/* Records limits and labels for who only reads the database. An error is logged. */
void manager_publish_limits(Manager *m);
