/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of files in an OVA, as programs of many systems write them. Pure. */

#include <sys/types.h>

#include "basic/macro.h"

/* True if @name ends so, in any case. */
bool ova_name_has_suffix(const char *name, const char *suffix);

/* What archivers of macOS add beside each file ("._box.ovf", "__MACOSX/"). */
bool ova_name_is_clutter(const char *name);

/* A name that is in use for raw disks: ".raw", ".img", "-flat.vmdk". */
bool ova_name_says_raw(const char *name);

/* True if the two stand for one file: "./", "file:///", escapes ("%20"), "\" and case do not matter. */
bool ova_name_is_same(const char *a, const char *b);

typedef const char *(*ova_name_func)(const void *list, size_t i);

/* Finds the file that the OVF (whose own name is @ovf) or its manifest calls @name: relative to the OVF,
 * then from the top, then in another case, then by its last part alone. What could be two files is none. The
 * index, or -ENOENT, -ENOMEM. */
ssize_t ova_name_find(ova_name_func name_at, const void *list, const char *ovf, const char *name);
