/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls about VMs (libvirt-error.h). */

#include <jansson.h>
#include <libvirt/libvirt.h>

#include "store/hosts.h"

static inline void libvirt_domain_freep(virDomainPtr *domain) {
        if (*domain)
                (void) virDomainFree(*domain);
}
#define _cleanup_domain_ _cleanup_(libvirt_domain_freep)

int libvirt_lookup(virConnectPtr connection, const char *uuid, virDomainPtr *ret, char **ret_error);
/* The description of @domain; the caller frees. */
int libvirt_domain_xml(virDomainPtr domain, char **ret, char **ret_error);

/* The UUIDs of all VMs, as a strv. */
int libvirt_list(virConnectPtr connection, char ***ret, char **ret_error);

/* What libvirt knows of one VM; its seq and times are not set. */
int libvirt_describe(virConnectPtr connection, const char *uuid, VmRow *ret, char **ret_error);

/* As the source of a migration, see domain_xml_inspect(). @other_machine: where it is, NULL: here. */
int libvirt_inspect(virConnectPtr connection, const char *uuid, const char *other_machine, json_t **ret,
                char **ret_error);

typedef enum VmAction {
        VM_START,
        VM_SHUTDOWN,
        VM_REBOOT,
        VM_DESTROY,
        VM_RESET,
        _VM_ACTION_MAX,
        _VM_ACTION_INVALID = -EINVAL,
} VmAction;
const char *vm_action_to_string(VmAction a);

int libvirt_act(virConnectPtr connection, const char *uuid, VmAction action, char **ret_error);

/* Its description as libvirt gives it, without secrets; the caller frees. */
int libvirt_xml(virConnectPtr connection, const char *uuid, char **ret, char **ret_error);
