/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The disks of a domain on another host are complete on this machine first, and then sent to its storage
 * pool, where they are read back and compared. Whatever fails, they remain here, and nothing remains
 * there. Volumes of ours are known by a record in the job's directory, which is written after they have
 * been created: a volume of somebody else is never removed. */

#include "job/attempt.h"
#include "spec/kvm-domain.h"
#include "spec/kvm-outcome.h"

typedef struct KvmSending {
        int *fds; /* the disks on this machine */
        size_t n;
} KvmSending;

void kvm_sending_done(KvmSending *s);

/* Sends all disks: their paths in @d become those on the host. Begins anew if an earlier call was
 * interrupted, and does nothing if it was complete. On failure, *ret_error says why (the caller frees),
 * and what is of no use on the host remains to be withdrawn. */
int kvm_send(Attempt *a, KvmDomain *d, KvmSending *s, char **ret_error);

/* The domain is defined: @o tells the paths of the disks on the host, and those here are removed. 0 or
 * -ENOMEM. */
int kvm_sent(Attempt *a, const KvmDomain *d, const KvmSending *s, KvmOutcome *o);

/* Removes a volume of the storage pool, if it is there. 0, or negative errno with *ret_error (the caller
 * frees): another try may help. */
int kvm_remove_volume(Attempt *a, const char *name, char **ret_error);

/* Removes the volumes of ours. It must be known that no domain uses them. A failure is logged. */
void kvm_withdraw(Attempt *a, const KvmDomain *d);
/* Are all of them complete, so that there may be such a domain? */
bool kvm_sent_all(Attempt *a);
