/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Providers: named sources of vSphere, hosts of libvirt, and the files of this machine. What was last seen of
 * each, and the inventory that was last read from it, are kept in memory. Those of vSphere are in a file
 * while the daemon does not run, since it exits when it is idle. */

#include "api/http/request.h"
#include "api/v1/v1-seen.h"

/* The libvirt of this machine, whether hyper-hostd has it in its list or not. */
#define V1_LIBVIRT_ID "libvirt"
#define V1_LOCAL_ID "local"
#define V1_LIBVIRT_URI "qemu:///system"
/* The ID at hyper-hostd that it gets when it is added here. */
#define V1_LIBVIRT_HOST "local"

/* All that exist now, by the databases; they belong to the daemon. 0 or negative errno. */
int v1_providers_get(Request *r, const V1Providers **ret);

/* Those of the last request that has asked for them, as they were then. 0 or negative errno. */
int v1_providers_kept(Api *a, const V1Providers **ret);

/* "type" or "id" in the lists of words @types_or_ids; NULL: all. */
bool v1_provider_is_meant(const V1Provider *p, const char *words);

/* It has answered, or has not: @error NULL. */
int v1_provider_note(V1Provider *p, const char *error, unsigned status);

json_t *v1_provider_json(const V1Provider *p);
extern const Schema v1_provider_schema;
