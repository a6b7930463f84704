/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job converts: the disks of an image file, of an OVA, or one behind NBD. What the kinds do
 * differently is in source-kind.h. All functions note failures in the attempt (attempt_fail()) and return
 * negative errno. */

#include <sys/stat.h>

#include "image/ova.h"
#include "job/attempt.h"
#include "job/output-layout.h"
#include "spec/vm.h"

typedef struct Source {
        Attempt *attempt; /* not owned */
        const JobEndpoint *spec; /* of the plan */
        int fd; /* FILE */
        int further_fds[PART_DISKS_MAX - 1]; /* FILE: of its further disks; the first @n_further are open */
        size_t n_further;
        struct stat st; /* FILE */
        bool in_use; /* somebody else may write to it, and that is allowed */
        bool changed; /* and has done so */
        char *identity; /* names the source and its version */
        int archive_fd; /* of an OVA: where its tar is */
        Image *images; /* FILE that is no OVA: of all disks */
        size_t n_images;
        Ova *ova; /* or this */
        VmHardware *vm; /* the hardware around the disks; NULL: the source does not describe it */
        Image *disks; /* FILE: those of one of them; NULL: NBD */
        size_t n_disks;
        int *disk_fds; /* of each, where its image is */
        char ***warnings; /* of each, for the result */
        int part_fd; /* where archives are unpacked; not owned */
        const char *part_dir; /* its path; not owned */
        void *of_kind; /* VSPHERE: VsphereSource */
        void (*free_of_kind)(void *of_kind);
} Source;

Source *source_free(Source *s);
DEFINE_CLEANUP_FUNC(Source *, source_free);
#define _cleanup_source_ _cleanup_(source_freep)

/* Notes something for the result of disk @disk (from 0), and in the log. */
int source_warn(Source *s, size_t disk, const char *format, ...) _printf_(3, 4);

/* An empty one for the plan's source. NULL when out of memory. */
Source *source_new(Attempt *a);

/* Makes room for what is known of each of @disks. 0 or -ENOMEM. */
int source_reserve_disks(Source *s, Image *disks, size_t n);
