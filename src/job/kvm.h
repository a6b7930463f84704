/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs whose result is a domain of libvirt. hyper-hostd makes all calls of libvirt. What it says of the host
 * is kept in the job's directory by prepare, so that run, which has no bus, can refuse what cannot be
 * defined before it copies anything. */

#include "job/attempt.h"
#include "spec/kvm-domain.h"
#include "spec/kvm-outcome.h"

bool kvm_is_destination(const Attempt *a) _pure_;
/* On another host: the disks are sent there first. */
bool kvm_is_remote(const Attempt *a) _pure_;

/* prepare: asks hyper-hostd, keeps the answer, and checks what is known without the source. */
int kvm_prepare(Attempt *a);

/* run: checks the domain with the hardware of the source (NULL: it does not describe it). */
int kvm_check(Attempt *a, const VmHardware *vm);

/* The domain of a job whose disks are complete. 0, or negative errno with *ret_error, if there is more to say
 * (the caller frees). */
int kvm_domain_of_result(Attempt *a, KvmDomain **ret, char **ret_error);
/* Has it defined, and started if @d says so. Likewise. */
int kvm_define(const Attempt *a, const KvmDomain *d, KvmOutcome **ret, char **ret_error);

/* "hyper-job define DIRECTORY": after finish, has the domain defined, and records the outcome. May be called
 * again at any time. The exit status. */
int verb_define(const char *directory);
/* "hyper-job define-end DIRECTORY": after "define" has ended in any way, removes from the other host what
 * is of no use. */
int verb_define_end(const char *directory);
