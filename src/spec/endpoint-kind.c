/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/endpoint-kind.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-path.h"
#include "spec/nbd-uri.h"

#define PSK_MAX 4096

/* --- what the decoder asks of each ----------------------------------------------------------------- */

static bool is_given(const EndpointCheck *c, const char *key) {
        json_t *value = json_object_get(c->json, key);

        return value && !json_is_null(value);
}

static int complain(const EndpointCheck *c, const char *key, const char *what) {
        _cleanup_free_ char *path = key ? strprintf("%s.%s", c->section, key) : strdup(c->section);

        return path ? json_errors_add(c->errors, path, "%s", what) : -ENOMEM;
}

static bool has_key(const EndpointKind *kind, const char *key) {
        return strv_contains((char **) kind->keys, key);
}

static bool is_known(const char *key, bool is_destination);

/* A field that the type has no use for is a misunderstanding worth telling. */
static int check_unused(const EndpointCheck *c, const EndpointKind *kind) {
        const char *key;
        json_t *value;

        json_object_foreach(c->json, key, value) {
                if (json_is_null(value) || has_key(kind, key) || !is_known(key, c->is_destination))
                        continue;
                _cleanup_free_ char *what = strprintf("must not be given with type \"%s\"", kind->name);
                int r = what ? complain(c, key, what) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_file(const EndpointCheck *c) {
        const char *reason;
        int r = 0;

        if (!is_given(c, "path"))
                r = complain(c, "path", "must be given");
        else if (c->e->path && !job_path_is_valid(c->e->path, c->is_destination, &reason))
                r = complain(c, "path", reason);
        return r;
}

static int check_tls(const EndpointCheck *c, bool tls) {
        /* The key goes into a file of lines for GnuTLS, "[user:]key". */
        const char *psk = json_string_value(json_object_get(c->json, "tls_psk")), *reason;

        if (psk && (!*psk || strlen(psk) > PSK_MAX || utf8_has_control(psk)))
                return complain(c, "tls_psk", "must be one line of 1 to 4096 bytes");
        if (c->e->tls_certificates && !job_path_is_valid(c->e->tls_certificates, false, &reason))
                return complain(c, "tls_certificates", reason);
        if (is_given(c, "tls_certificates") && is_given(c, "tls_psk"))
                return complain(c, NULL, "must not have both tls_certificates and tls_psk");
        if (!tls && (is_given(c, "tls_certificates") || is_given(c, "tls_psk")))
                return complain(c, "uri", "must be nbds:// or nbds+unix:// for TLS");
        return 0;
}

static int check_nbd(const EndpointCheck *c) {
        _cleanup_(nbd_uri_done) NbdUri uri = {};
        _cleanup_free_ char *reason = NULL;
        int r;

        if (!is_given(c, "uri"))
                r = complain(c, "uri", "must be given");
        else if (c->e->uri) {
                r = nbd_uri_parse(c->e->uri, &uri, &reason);
                if (r == -EINVAL)
                        r = complain(c, "uri", reason);
                else if (r >= 0)
                        r = check_tls(c, uri.tls);
        } else
                r = 0; /* no string: told already */
        return r;
}

static int check_vsphere(const EndpointCheck *c) {
        int r = is_given(c, "format") ? complain(c, "format", "must not be given with type \"vsphere\"") : 0;

        return r < 0 ? r : vsphere_spec_check(&c->e->vsphere, c->json, c->section, c->errors);
}

static int check_kvm(const EndpointCheck *c) {
        return kvm_spec_check(&c->e->kvm, c->e->path, c->errors);
}

static bool is_file_address(const char *text) {
        return text[0] == '/' || startswith(text, "file:");
}

static bool is_nbd_address(const char *text) {
        return startswith(text, "nbd:") || startswith(text, "nbds:") || startswith(text, "nbd+unix:") ||
                        startswith(text, "nbds+unix:");
}

/* An inventory path can be anything, and a path is that of a file. */
static bool is_never(_unused_ const char *text) {
        return false;
}

/* --- the table ------------------------------------------------------------------------------------- */

static const char *const file_keys[] = { "path", "checksum", "further_disks", NULL };
static const char *const nbd_keys[] = { "uri", "tls_certificates", "tls_psk", NULL };
static const char *const vsphere_keys[] = { "name", "vcenter_url", "username", "password", "ca",
        "thumbprint", "datacenter", "vm_path", "vm_uuid", NULL };

static const char *const kvm_keys[] = { "path", "directory", "libvirt_uri", "pool", "name", "network_map",
        "hardware", "disk_bus", "nic_model", "start", NULL };

static const EndpointKind kinds[_ENDPOINT_MAX] = {
        [ENDPOINT_FILE] = {
                .name = "file",
                .ends = ENDPOINT_SOURCE | ENDPOINT_DESTINATION,
                .keys = file_keys,
                .field = "path",
                .identity = offsetof(JobEndpoint, path),
                .decode = check_file,
                .recognize = is_file_address,
                .needs = ENDPOINT_NEEDS_FILES,
        },
        [ENDPOINT_NBD] = {
                .name = "nbd",
                .ends = ENDPOINT_SOURCE | ENDPOINT_DESTINATION,
                .keys = nbd_keys,
                .field = "uri",
                .identity = offsetof(JobEndpoint, uri),
                .decode = check_nbd,
                .recognize = is_nbd_address,
                .needs = ENDPOINT_NEEDS_SOCKETS | ENDPOINT_NEEDS_NETWORK | ENDPOINT_NEEDS_SECRETS,
                .one_raw_disk = true,
        },
        [ENDPOINT_VSPHERE] = {
                .name = "vsphere",
                .ends = ENDPOINT_SOURCE,
                .keys = vsphere_keys,
                .field = "vm_path",
                .identity = offsetof(JobEndpoint, vsphere.vm_path),
                .decode = check_vsphere,
                .recognize = is_never,
                .needs = ENDPOINT_NEEDS_NETWORK | ENDPOINT_NEEDS_SECRETS,
        },
        [ENDPOINT_KVM] = {
                .name = "kvm",
                .ends = ENDPOINT_DESTINATION,
                .keys = kvm_keys,
                .field = "path",
                .identity = offsetof(JobEndpoint, path),
                .decode = check_kvm,
                .recognize = is_never,
                .needs = ENDPOINT_NEEDS_FILES,
        },
};

/* A field of some kind that could stand there. */
static bool is_known(const char *key, bool is_destination) {
        for (int i = 0; i < _ENDPOINT_MAX; i++)
                if (endpoint_type_is(i, is_destination ? ENDPOINT_DESTINATION : ENDPOINT_SOURCE) &&
                                has_key(&kinds[i], key))
                        return true;
        return false;
}

const EndpointKind *endpoint_kind(int type) {
        return type >= 0 && type < _ENDPOINT_MAX ? &kinds[type] : NULL;
}

bool endpoint_needs(const JobEndpoint *e, unsigned needs) {
        const EndpointKind *k = endpoint_kind(e->type);

        return k && (k->needs & needs) == needs;
}

const char *endpoint_type_to_string(EndpointType t) {
        const EndpointKind *k = endpoint_kind((int) t);

        return k ? k->name : NULL;
}

EndpointType endpoint_type_from_string(const char *s) {
        for (int i = 0; s && i < _ENDPOINT_MAX; i++)
                if (streq(kinds[i].name, s))
                        return i;
        return _ENDPOINT_INVALID;
}

bool endpoint_type_is(int type, EndpointEnds end) {
        const EndpointKind *k = endpoint_kind(type);

        return k && (k->ends & end);
}

EndpointType endpoint_type_from_address(const char *text) {
        for (int i = 0; i < _ENDPOINT_MAX; i++)
                if (kinds[i].recognize(text))
                        return i;
        return _ENDPOINT_INVALID;
}

const char *endpoint_identity(const JobEndpoint *e) {
        const EndpointKind *k = endpoint_kind(e->type);

        return k ? *(char *const *) ((const char *) e + k->identity) : NULL;
}

const char *endpoint_field(const JobEndpoint *e) {
        const EndpointKind *k = endpoint_kind(e->type);

        return k ? k->field : NULL;
}

int job_endpoint_check(const JobEndpoint *e, json_t *json, bool is_destination, JsonErrors *errors) {
        const EndpointKind *k = endpoint_kind(e->type);
        const EndpointCheck c = { .e = e,
                .json = json,
                .section = is_destination ? "destination" : "source",
                .is_destination = is_destination,
                .errors = errors };

        /* Of a type that is wrong the decoder said so. */
        int r = k ? k->decode(&c) : 0;
        return r < 0 || !k ? r : check_unused(&c, k);
}
