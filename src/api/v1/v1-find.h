/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finds a VM that a client has named, among those of the providers that were asked (v1-gather.h). */

#include "api/v1/v1-gather.h"

/* What a client has written: {"provider" or "provider_id", "vm"}. */
typedef struct V1VmName {
        const char *provider; /* as for v1_provider_is_meant(); NULL: all */
        const char *vm; /* name, path, ID or UUID */
} V1VmName;

/* Reads it from an object; @what is put before its fields: "source." 0, or -EINVAL, which was answered. */
int v1_vm_name_read(Request *r, const json_t *object, const char *what, V1VmName *ret);

/* Answers 404 if there is none, and 409 with "candidates" if there are several. 1 with the VM, which belongs
 * to the provider; 0: it was answered; negative errno. */
int v1_vm_find(Request *r, const V1Gather *g, const V1VmName *name, V1Provider **ret_provider,
                const V1Vm **ret_vm);

/* 400 unless each word is a type or the ID of a provider. 0 or -EINVAL. */
int v1_check_provider(Request *r, const char *words);
