/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two virtual machines with one MAC address or one UUID must not run at the same time: a domain is not
 * started while its source runs on another host. */

#include "hosts/hosts.h"
#include "spec/kvm-domain.h"

/* Does a VM with a MAC address or the UUID of @d run on a host other than @target, which may be NULL? Of a
 * host that is not connected, the last known state counts. 0, with *ret_text NULL if there is none, and
 * otherwise with text for people (the caller frees); or -ENOMEM. */
int hosts_find_running(Hosts *h, const KvmDomain *d, const Host *target, char **ret_text);
