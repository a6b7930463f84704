/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual machine of vSphere on the command line. */

#include <jansson.h>

/* "vsphere://[USER@]HOST[:PORT]/PATH", in which USER may have escapes (%5c), and "NAME:/PATH" with the name
 * of a named source. PATH is the path in the inventory. 1 with the source of a job in *ret; 0: @word is
 * something else; -EINVAL; -ENOMEM. */
int vsphere_address_parse(const char *word, json_t **ret);
