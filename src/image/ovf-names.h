/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that an OVF descriptor may name. This is no parser of XML, for which no privileged program is
 * the place: it finds everything that is written as the value of an href. The job reads the descriptor
 * properly, and uses of these files only those that it finds there. Pure. */

#include "basic/macro.h"

#define OVF_NAMES_MAX 4096u

/* The names, with entities and escapes decoded, as plain relative paths: "file:///C:/x/disk1.vmdk" is
 * "C:/x/disk1.vmdk"; URLs of other machines, and what has a ".." in it, are left out. Each once. -E2BIG:
 * more than OVF_NAMES_MAX; -ENOMEM. The caller frees *ret. */
int ovf_names(const char *text, size_t size, char ***ret);

/* True if these are the first bytes of an OVF descriptor. */
bool ovf_is_descriptor(const char *data, size_t size);
