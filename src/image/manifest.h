/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manifest of an OVF: the digests of its files, in every form that programs write. Pure. */

#include "basic/macro.h"

#define MANIFEST_MAX ((size_t) 4 * 1024 * 1024)

typedef struct ManifestEntry {
        const char *algorithm; /* OpenSSL's name: "SHA256" */
        char *file; /* as written */
        char *digest; /* lower-case hex of the length that the algorithm has */
        unsigned line;
} ManifestEntry;

typedef struct Manifest {
        ManifestEntry *entries;
        size_t n_entries, allocated;
} Manifest;

void manifest_done(Manifest *m);
#define _cleanup_manifest_ _cleanup_(manifest_done)

/* Lines "SHA256(name)= hex" (any case, "SHA2-256" and "SHA-256" too, blanks anywhere) and "hex  name"
 * (sha256sum(1) and its sisters); MD5, SHA1 and all of SHA2. Comments ("#"), empty lines, and a byte order
 * mark are skipped. 0, or -EBADMSG with *ret_error naming the line (caller frees). */
int manifest_parse(const char *text, size_t size, Manifest *ret, char **ret_error);
