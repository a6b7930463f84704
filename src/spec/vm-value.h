/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values of a source in the form in which a VM's hardware (vm.h) has them. */

#include "spec/vm.h"

/* A copy of at most @max bytes that the decoder accepts as text: valid UTF-8 without control characters. For
 * values from a source. NULL when out of memory. The caller frees it. */
char *vm_text(const char *s, size_t max);
/* The same as a word in lower case, for models: only [a-z0-9._-]; NULL with *ret if nothing remains. 0 or
 * -ENOMEM. */
int vm_word(const char *s, char **ret);

/* "00-50-56-AA-BB-CC", "005056aabbcc", "00:50:56:aa:bb:cc" to the last form. -EINVAL for what is no MAC of a
 * single device: it is malformed, a group address, or only zeroes. */
int vm_mac_normalize(const char *s, char ret[static VM_MAC_SIZE]);
/* "{4210…}", "42 10 …-…" (VMware's uuid.bios) and the usual form to the usual form in lower case. -EINVAL for
 * other text, and for the UUIDs of only zeroes or ones. */
int vm_uuid_normalize(const char *s, char ret[static VM_UUID_SIZE]);

bool vm_is_word(const char *s) _pure_;
