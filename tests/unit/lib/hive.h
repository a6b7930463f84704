/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Hives of the Windows registry, read and written by libhivex as in the appliance, but without one. */

#include <hivex.h>

#include "guest/registry.h"

/* Makes the file of an empty hive, and opens it. */
void test_hive_new(const char *path, Registry *ret);
/* Opens it again, after what was changed has been written. */
void test_hive_reopen(const char *path, Registry *r);
void test_hive_close(Registry *r);
