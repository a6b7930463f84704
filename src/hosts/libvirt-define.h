/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls that look at a host before a domain is defined on it, and define it (libvirt-error.h). */

#include <libvirt/libvirt.h>

#include "spec/kvm-domain.h"
#include "spec/kvm-outcome.h"

/* @local: it is the libvirt of this machine. @pool: a storage pool to look at, or NULL. */
int libvirt_target(
                virConnectPtr connection, bool local, const char *pool, KvmTarget **ret, char **ret_error);

typedef struct DefineRequest {
        const KvmDomain *domain;
        bool local;
        const char *must_not_start; /* why, or NULL */
} DefineRequest;

/* Defines a domain, and starts it if that is asked for. A domain that was defined for the same job before is
 * found again. 0 also if libvirt refuses: the outcome has the reason. -ENOLINK: the connection broke. */
int libvirt_define(virConnectPtr connection, const DefineRequest *q, KvmOutcome **ret, char **ret_error);

/* True if @domain was made for that job: its metadata says so. */
bool libvirt_is_of_job(virDomainPtr domain, const char *job_id);

/* libvirt's words about XML that we made: unlike libvirt_error(), they may quote it. 0; -ENOLINK: the
 * connection broke; -ENOMEM. */
int libvirt_words(virConnectPtr connection, char **ret);
