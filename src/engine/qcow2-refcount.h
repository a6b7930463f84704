/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/qcow2-layout.h"

/* Completes an image whose data and tables end at @end: counts all references, appends the refcount blocks,
 * writes the refcount table and cuts the file to its length. Memory is bounded whatever the image. 0,
 * -EBADMSG if the tables do not hold together, or what writing gave. */
int qcow2_write_refcounts(int fd, const Qcow2Layout *layout, const uint64_t *l1, uint64_t end);
