/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's connection URIs (https://libvirt.org/uri.html), as far as they may be given to hyper-hostd: a
 * list of what is allowed. libvirt never sees the text of somebody else, only one that is put together from
 * what was read. */

#include "basic/macro.h"

#define HOST_ID_MAX 128

/* 1 to 128 bytes of UTF-8 without control characters and slashes. */
bool host_id_is_valid(const char *id);

typedef enum HostTransport {
        TRANSPORT_LOCAL, /* qemu:///system */
        TRANSPORT_SSH, /* qemu+ssh://[USER@]HOST[:PORT]/system */
        TRANSPORT_TLS, /* qemu+tls://HOST[:PORT]/system */
        TRANSPORT_TEST, /* test:///default, test:///FILE: made up, for trials */
} HostTransport;

/* A URI that is allowed, in parts; the strings lie in its text, and are not ended by NUL. */
typedef struct HostUri {
        HostTransport transport;
        const char *user, *host, *path; /* user: NULL if there is none; path with its "/" */
        size_t user_size, host_size, path_size;
        unsigned port; /* 0: not given */
        bool no_verify; /* neither the host's key nor its certificate is checked */
} HostUri;

/* 0, or -EINVAL with *ret_why (static). @allow_test: hosts.allow_test. */
int host_uri_parse(const char *uri, bool allow_test, HostUri *ret, const char **ret_why);

/* What libvirt is given. Over ssh with the key in @keyfile, and without interactive questions. NULL when
 * out of memory; the caller frees. */
char *host_uri_build(const HostUri *uri, const char *keyfile);

/* The URI for people and other programs: userinfo reads "***", and a query that is not "no_verify=1" is left
 * out; also for a malformed @uri. NULL when out of memory; the caller frees. */
char *host_uri_redact(const char *uri);

/* An id for a host whose owner gave none: the name of the machine in the URI, or "local". The caller
 * frees. */
char *host_uri_make_id(const char *uri);

/* True if it is on this machine. */
bool host_uri_is_local(const char *uri);
