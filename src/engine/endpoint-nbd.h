/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk behind an NBD server, or behind several for the same disk, through libnbd(3). */

#include "engine/endpoint.h"
#include "engine/nbd-options.h"

/* Connects. A disk may be empty (size 0). -EPROTO if servers disagree on the size or it is absurd, -EROFS,
 * -ETIMEDOUT, -ECANCELED, and what connecting gives. On error *ret_error is a text that the caller frees (it
 * never holds a secret from a URI). */
int endpoint_nbd_new(const NbdOptions *options, Endpoint **ret, char **ret_error);
