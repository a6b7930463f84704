/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which VMs a list shows, and in which order. Pure. */

#include "api/v1/v1-provider.h"

typedef enum V1VmSort {
        V1_VM_SORT_NAME,
        V1_VM_SORT_PROVIDER,
        V1_VM_SORT_OS,
        V1_VM_SORT_CPU,
        V1_VM_SORT_MEMORY,
        V1_VM_SORT_POWER,
        V1_VM_SORT_SEEN,
        _V1_VM_SORT_MAX,
} V1VmSort;
int v1_vm_sort_from_string(const char *s) _pure_;

typedef struct V1VmFilter {
        uint32_t powers, oses; /* masks of 1u << value; 0: all */
        const char *search; /* or NULL */
        V1VmSort sort;
        bool descending;
} V1VmFilter;

typedef struct V1SelectedVm {
        V1Provider *provider;
        const V1Vm *vm;
} V1SelectedVm;

/* Those of @n providers that match, in order: what is unknown is last, ties are by name and ID. The caller
 * frees the array; its VMs belong to the providers. 0 or -ENOMEM. */
int v1_vms_select(V1Provider *const *providers, size_t n, const V1VmFilter *filter, V1SelectedVm **ret,
                size_t *ret_n);
