/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls that put disks into the storage pools of other hosts (libvirt-error.h). */

#include <libvirt/libvirt.h>
#include <stdatomic.h>

#include "spec/kvm-target.h"

/* Adds to @t the names of all pools, and what is known of the pool @name. 0 also if there is no such pool. */
int libvirt_pool(virConnectPtr connection, const char *name, KvmTarget *t, char **ret_error);

/* A volume of a pool. */
typedef struct VolumeName {
        const char *pool, *name;
} VolumeName;

/* Creates one for a file of @size bytes, of which @allocated are not a hole. *ret_path (the caller frees)
 * is its path on that host. It is refused if there is one of that name, unless that is empty and of that
 * size. -ENOSPC: the pool has not that much space. */
int libvirt_volume_create(virConnectPtr connection, const VolumeName *v, uint64_t size, uint64_t allocated,
                char **ret_path, char **ret_error);

/* Writes the file into it, and reads it back to compare it. Its holes remain holes. While the file is
 * sent, its offset says how far that is. -ECANCELED; -EBADMSG: what was read back differs. */
int libvirt_volume_send(virConnectPtr connection, const VolumeName *v, int fd, const atomic_bool *cancelled,
                char **ret_error);

/* 0 also if there is none. */
int libvirt_volume_remove(virConnectPtr connection, const VolumeName *v, char **ret_error);
