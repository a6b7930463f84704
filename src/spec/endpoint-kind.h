/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be a source or a destination: one row for each kind. */

#include "spec/disk-format.h"
#include "spec/kvm-spec.h"
#include "spec/vsphere-spec.h"
#include "json/json-table.h"

/* The most disks of a virtual machine. */
#define JOB_DISKS_MAX 64

typedef enum EndpointType {
        ENDPOINT_FILE, /* an image file or a block device of this machine */
        ENDPOINT_NBD, /* an NBD URI: nbd://, nbds://, nbd+unix://, nbds+unix:// */
        ENDPOINT_VSPHERE, /* a virtual machine of a vCenter server or an ESXi host */
        ENDPOINT_KVM, /* a domain of libvirt, whose disks are files */
        _ENDPOINT_MAX,
        _ENDPOINT_INVALID = -EINVAL,
} EndpointType;

typedef struct JobEndpoint {
        int type; /* EndpointType */
        char *path; /* FILE, KVM: absolute, no "..", no NUL, UTF-8 */
        char *uri; /* NBD */
        char *tls_certificates; /* NBD with TLS: a directory as nbd_set_tls_certificates(3) has it */
        int format; /* DiskFormat. NBD destinations are raw. */
        char *checksum; /* source FILE: "sha256:<64 hex digits>" of the file, or NULL */
        char **further_disks; /* source FILE whose guest is inspected or changed itself: the paths of the
                                 disks of the same virtual machine after the first one; or NULL */
        VsphereSpec vsphere; /* source VSPHERE */
        KvmSpec kvm; /* destination KVM */
} JobEndpoint;

/* What a kind needs of the machine. */
typedef enum EndpointNeeds {
        ENDPOINT_NEEDS_FILES = 1 << 0, /* files, or the directory of one that is to be made */
        ENDPOINT_NEEDS_SOCKETS = 1 << 1, /* sockets of this machine */
        ENDPOINT_NEEDS_NETWORK = 1 << 2,
        ENDPOINT_NEEDS_SECRETS = 1 << 3,
} EndpointNeeds;

/* What a kind can be. */
typedef enum EndpointEnds {
        ENDPOINT_SOURCE = 1 << 0,
        ENDPOINT_DESTINATION = 1 << 1,
} EndpointEnds;

/* An endpoint that is checked, with the JSON that it was decoded from. */
typedef struct EndpointCheck {
        const JobEndpoint *e;
        json_t *json;
        const char *section; /* "source" or "destination" */
        bool is_destination;
        JsonErrors *errors;
} EndpointCheck;

typedef struct EndpointKind {
        const char *name; /* the word of its type: "file" */
        unsigned ends; /* EndpointEnds */
        const char *field; /* that says which one: "path" or "uri" */
        size_t identity; /* where the struct has it: offset of a char * */
        const char *const *keys; /* the fields that it uses, besides type and those of all kinds;
                                    NULL-terminated */
        int (*decode)(const EndpointCheck *c); /* what must be there, and what must not */
        bool (*recognize)(const char *text); /* text that can only be of this kind, for clients that give no
                                                type */
        unsigned needs; /* EndpointNeeds */
        bool one_raw_disk; /* it is one disk, whose server decides how it is stored */
} EndpointKind;

/* NULL for what is no type. */
const EndpointKind *endpoint_kind(int type) _pure_;
bool endpoint_needs(const JobEndpoint *e, unsigned needs) _pure_;

const char *endpoint_type_to_string(EndpointType t) _pure_;
EndpointType endpoint_type_from_string(const char *s) _pure_;
/* True if @type is a kind that can be a source, or a destination. */
bool endpoint_type_is(int type, EndpointEnds end) _pure_;
/* The type of which @text (a path, a URI) can only be; _ENDPOINT_INVALID: it can be anything. */
EndpointType endpoint_type_from_address(const char *text) _pure_;

/* The path or URI; NULL: none was given. */
const char *endpoint_identity(const JobEndpoint *e) _pure_;
/* The field that has it: "path". */
const char *endpoint_field(const JobEndpoint *e) _pure_;

/* Checks an endpoint that was decoded from @json by its type: what must be there, what must not, and that
 * paths and URIs are in order. What the decoder told already is not told again. 0 or -ENOMEM. */
int job_endpoint_check(const JobEndpoint *e, json_t *json, bool is_destination, JsonErrors *errors);
