/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Errors of libvirt's calls. All functions that are named libvirt_…() block, and belong into the threads of
 * hosts. They return 0 or the negative errno of libvirt_error() with *ret_error, libvirt's own words, which
 * the caller frees. */

#include "basic/macro.h"

/* libvirt's last error of this thread: -ENODEV no such VM, -EBADFD wrong state, -ENOLINK not connected,
 * -EACCES refused, -EINVAL a URI it does not understand, -EOPNOTSUPP, -EREMOTEIO all else. */
int libvirt_error(char **ret_error);
