/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's connection URIs (https://libvirt.org/uri.html), as far as they may be given to hyper-hostd. */

#include "basic/macro.h"

#define HOST_ID_MAX 128

/* 1 to 128 bytes of UTF-8 without control characters and slashes. */
bool host_id_is_valid(const char *id);

/* Checks a URI: qemu:///system, qemu+ssh://[USER@]HOST[:PORT]/system, qemu+tls://HOST/system, test:///…; other
 * drivers with the same transports, too. A password, a transport or a parameter that would start a program or
 * turn a check off is refused. 0, or -EINVAL with *ret_why (static). */
int host_uri_check(const char *uri, const char **ret_why);

/* The URI for people and other programs: userinfo reads "***". NULL when out of memory; the caller frees. */
char *host_uri_redact(const char *uri);

/* What libvirt is given: for +ssh with no_tty=1, so that nobody is asked anything, and with @keyfile unless
 * the URI names another. NULL when out of memory; the caller frees. */
char *host_uri_complete(const char *uri, const char *keyfile);

/* An id for a host whose owner gave none: the name of the machine in the URI, or "local". The caller frees. */
char *host_uri_make_id(const char *uri);

/* True if it is on this machine. */
bool host_uri_is_local(const char *uri);
