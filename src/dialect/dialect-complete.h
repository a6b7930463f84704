/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "dialect/dialect-job.h"

/* Derive the fields that clients may omit, in the same way for all dialects: the operation (convert), the
 * types of source and destination from their names (an absolute path, file://, nbd:// and others), the
 * format of the destination from its name, or qcow2, and its path: "<name>.<format>" in TRANSLATE_DIRECTORY
 * or beside the source. Returns 0 or -ENOMEM. */
int translation_complete(Translation *t);
