/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Certificates for a machine that has none yet: ECDSA P-256, signed with their own key. */

#include "tls/tls-pair.h"

#define SELF_SIGNED_LIFETIME (825 * USEC_PER_DAY)
#define SELF_SIGNED_RENEW (30 * USEC_PER_DAY) /* before it expires */

/* @names: strv of host names and addresses, at least one, which become its subject alternative names
 * (RFC 6125); the first is its common name, too. 0, -EINVAL if there is no name, -EIO if GnuTLS fails. */
int self_signed_make(char *const *names, usec_t now, TlsPair *ret);

/* Whether it was made by self_signed_make(). */
bool self_signed_is_ours(const TlsPair *p);

/* The names of this machine: host name, fully qualified name, "localhost", and the addresses of its network
 * interfaces but link-local ones. -ENOMEM. */
int self_signed_names(char ***ret);
