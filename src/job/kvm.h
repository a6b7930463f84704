/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs whose result is a domain of libvirt. hyper-hostd makes all calls of libvirt. What it says of the host
 * is kept in the job's directory by prepare, so that run, which has no bus, can refuse what cannot be
 * defined before it copies anything. */

#include "job/attempt.h"

bool kvm_is_destination(const Attempt *a) _pure_;

/* prepare: asks hyper-hostd, keeps the answer, and checks what is known without the source. */
int kvm_prepare(Attempt *a);

/* run: checks the domain with the hardware of the source (NULL: it does not describe it). */
int kvm_check(Attempt *a, const VmHardware *vm);

/* "hyper-job define DIRECTORY": after finish, has the domain defined, and records the outcome. May be called
 * again at any time. The exit status. */
int verb_define(const char *directory);
