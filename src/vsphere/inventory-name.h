/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names in the inventory. The server writes "/", "%" and "\" in them as "%2f", "%25" and "%5c", and other
 * characters as they are. */

#include "basic/macro.h"

/* "a/b" for "a%2fb". What is none of the three escapes stays as it is. NULL when out of memory. */
char *inventory_name_decode(const char *name);
/* "a%2fb" for "a/b". NULL when out of memory. */
char *inventory_name_encode(const char *name);
/* A path whose names are written as the server does, with one "/" at the beginning and between them:
 * "/DC/vm/100%25" for "DC/vm//100%". NULL when out of memory. */
char *inventory_path_normalize(const char *path);
