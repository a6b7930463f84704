/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual machine of a vCenter server or an ESXi host as the source of a job. */

#include "json/json-table.h"

#define VSPHERE_SHUTDOWN_TIMEOUT_DEFAULT 300u
#define VSPHERE_SHUTDOWN_TIMEOUT_MAX 86400u

/* How the disks are transferred. */
typedef enum VsphereMethod {
        VSPHERE_METHOD_AUTO, /* the first one that is possible, for each job */
        VSPHERE_METHOD_VDDK, /* nbdkit with VMware's library, which the user installs */
        VSPHERE_METHOD_NFC, /* an export lease: streamOptimized VMDKs */
        VSPHERE_METHOD_HTTPS, /* ranges of the files of the datastore */
        _VSPHERE_METHOD_MAX,
        _VSPHERE_METHOD_INVALID = -EINVAL,
} VsphereMethod;

const char *vsphere_method_to_string(VsphereMethod m) _pure_;
VsphereMethod vsphere_method_from_string(const char *s) _pure_;

/* What is done with a virtual machine that is running. */
typedef enum VspherePower {
        VSPHERE_POWER_KEEP, /* a snapshot of it is copied */
        VSPHERE_POWER_SHUTDOWN, /* its guest shuts down */
        VSPHERE_POWER_OFF, /* it is powered off */
        _VSPHERE_POWER_MAX,
        _VSPHERE_POWER_INVALID = -EINVAL,
} VspherePower;

VspherePower vsphere_power_from_string(const char *s) _pure_;

/* The fields of the source of a job. Either name, or url, username and (in the secrets) password. */
typedef struct VsphereSpec {
        char *name; /* of a source that is stored */
        char *url; /* "https://HOST" or "https://HOST:PORT" once the spec is decoded */
        char *username;
        char *ca; /* PEM, or NULL */
        char *thumbprint; /* SHA-256 of the certificate, or NULL */
        char *datacenter; /* or NULL */
        char *vm_path; /* "Datacenter/vm/directory/name", "%2f" for "/" in a name; or only the name */
        char *vm_uuid; /* instance UUID or BIOS UUID, instead of vm_path */
} VsphereSpec;

/* Checks the fields, of which @json has the password. Errors
 * are added at "@section.FIELD". 0 or -ENOMEM. */
int vsphere_spec_check(const VsphereSpec *s, json_t *json, const char *section, JsonErrors *errors);

/* Puts server and thumbprint of a source that was checked into their canonical form, in @json, too. 0 or
 * -ENOMEM. */
int vsphere_spec_normalize(VsphereSpec *s, json_t *json);

/* The name for a file of a virtual machine: the last component of @vm_path. NULL: it has none that is usable.
 * Borrowed from @vm_path. */
const char *vsphere_file_name(const char *vm_path) _pure_;
