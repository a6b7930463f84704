/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Checking what came out of a conversion. */

#include "job/convert.h"

/* Checks the finished image of disk @disk with "qemu-img check"; unless @verify is VERIFY_OFF it is read
 * back from the disk through another server and compared with the source, and what was compared is noted in
 * the conversion. */
int verify_disk(Conversion *c, size_t disk, JobVerify verify);

/* Adds what was compared to the result's entry for disk @disk. 0 or -ENOMEM. */
int verify_describe(const Conversion *c, size_t disk, json_t *output);
/* The same of all disks in one entry. */
int verify_describe_all(const Conversion *c, size_t n_disks, json_t *output);
