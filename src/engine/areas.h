/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A list of areas of a disk: ascending, in whole blocks of EXTENT_BLOCK (but at the end of the disk), and
 * without two that touch each other. A list that would have too many areas has larger blocks, which then hold
 * more than what was added. */

#include "engine/endpoint.h"

typedef struct Area {
        uint64_t offset, length;
} Area;

typedef struct Areas {
        uint64_t size; /* of the disk */
        uint64_t block; /* 0: EXTENT_BLOCK */
        size_t max; /* of areas; 0: AREAS_MAX */
        Area *list;
        size_t n, allocated;
} Areas;

#define AREAS_MAX ((size_t) 1024 * 1024) /* 16 MiB of memory */

void areas_done(Areas *a);
#define _cleanup_areas_ _cleanup_(areas_done)

/* Adds what lies inside the disk. Fast if the areas come in ascending order. 0 or -ENOMEM. */
int areas_add(Areas *a, uint64_t offset, uint64_t length);

/* The number of bytes in all areas. */
uint64_t areas_total(const Areas *a) _pure_;

/* A source that has only the areas of another one. The rest is reported as zeroes, which a copy with
 * CopyOptions.keep_zeroes leaves as it is; inside the areas, all is data, so that zeroes are written, too.
 * Takes @below, which is freed with the endpoint or by a failure; @areas must live as long. 0 or -ENOMEM. */
int endpoint_areas_new(Endpoint *below, const Areas *areas, Endpoint **ret);
