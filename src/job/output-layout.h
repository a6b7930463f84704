/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files come out of a job, and where they grow. Each has a place in the part directory, counted from
 * 1, whose image it is; the first ones get names in the end:
 *
 *   a disk image   1: disk 1, which has the destination's name; 2: disk 2; …
 *   an OVF         1: the descriptor; 2: the manifest; 3: disk 1; …
 *   an OVA         1: the tar; 2: nothing; 3: disk 1; …, which have no names of their own
 */

#include "spec/endpoint-kind.h"

#define PART_DISKS_MAX JOB_DISKS_MAX

/* The places of a package. */
#define PLACE_PACKAGE 1u
#define PLACE_MANIFEST 2u

/* The place of disk @disk (from 0). */
unsigned layout_place(const JobEndpoint *destination, size_t disk) _pure_;
/* How many disks there may be. */
size_t layout_disks_max(const JobEndpoint *destination) _pure_;
/* How many places get names, of @n_disks disks. */
unsigned layout_published(const JobEndpoint *destination, size_t n_disks) _pure_;
/* The same, of how many outputs the result lists (an OVF's manifest is none). */
unsigned layout_published_of_outputs(const JobEndpoint *destination, size_t n_outputs) _pure_;

/* What it is, for messages: "disk image", "OVF", "manifest". */
const char *layout_what(const JobEndpoint *destination, unsigned place) _pure_;

/* The final path of a place: the destination itself, "<stem>-disk2.<extension>", "<stem>.mf"; of an OVA's
 * disks, what messages call them. NULL when out of memory. */
char *layout_path(const JobEndpoint *destination, unsigned place);
