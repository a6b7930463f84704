/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The body of POST /providers/connect. Pure. */

#include "api/v1/v1-vm.h"

#define V1_CONNECT_BODY_MAX ((size_t) 128 * 1024)
#define V1_PROVIDER_ID_MAX 32u

typedef struct V1Connect {
        V1ProviderType type; /* V1_PROVIDER_VSPHERE or V1_PROVIDER_LIBVIRT */
        char *id; /* or NULL */
        char *name; /* of a host of libvirt; or NULL */
        char *endpoint; /* vSphere: "https://HOST[:PORT]"; libvirt: a URI */
        char *username, *password; /* vSphere */
        char *datacenter, *ca, *fingerprint; /* or NULL */
        bool insecure; /* trust the certificate that the server shows now */
        bool only_try; /* "save": false */
} V1Connect;

/* Wipes the password. */
void v1_connect_done(V1Connect *c);

/* Unknown fields are ignored. The password in @object is overwritten. 0; -EBADMSG with all that is wrong in
 * @errors; -ENOMEM. */
int v1_connect_decode(json_t *object, V1Connect *ret, JsonErrors *errors);

/* The SHA-256 fingerprint "AA:BB:…" in the text of an error about a certificate; the caller frees it. NULL if
 * there is none, or when out of memory. */
char *v1_fingerprint_in(const char *text);
