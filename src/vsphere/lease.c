/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/lease.h"

#include <inttypes.h>

#include "basic/string-util.h"
#include "vsphere/fault.h"
#include "vsphere/property.h"

#define LEASE "HttpNfcLease"
#define READY_TIMEOUT (300 * USEC_PER_SEC)
#define POLL_MIN (20 * USEC_PER_MSEC)
#define POLL_MAX USEC_PER_SEC
#define TIMEOUT_DEFAULT (300 * USEC_PER_SEC)
#define TIMEOUT_MAX (86400 * USEC_PER_SEC)
#define DEVICES_MAX 512u

static void device_done(LeaseDevice *d) {
        free(d->key);
        free(d->url);
        free(d->thumbprint);
}

void lease_done(Lease *l) {
        for (size_t i = 0; i < l->n_devices; i++)
                device_done(&l->devices[i]);
        free(l->devices);
        free(l->id);
        *l = (Lease){};
}

void lease_manifest_done(LeaseManifest *m) {
        for (size_t i = 0; i < m->n_entries; i++) {
                free(m->entries[i].key);
                free(m->entries[i].hex);
        }
        free(m->entries);
        *m = (LeaseManifest){};
}

/* --- what it offers -------------------------------------------------------------------------------- */

/* ESXi writes "*" where the address goes by which the client has reached it. */
static int read_url(const char *host, const xmlNode *n, char **ret) {
        _cleanup_free_ char *url = NULL;

        int r = node_dup(n, &url);
        if (r < 0)
                return r;
        if (!url || !startswith(url, "https://"))
                return -EBADMSG;
        const char *rest = startswith(url, "https://*");
        if (rest && *rest != ':' && *rest != '/')
                return -EBADMSG;
        if (rest) {
                bool ipv6 = strchr(host, ':');
                *ret = strprintf("https://%s%s%s%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "", rest);
                return *ret ? 0 : -ENOMEM;
        }
        *ret = TAKE_PTR(url);
        return 0;
}

static int read_device(const char *host, const xmlNode *n, LeaseDevice *d) {
        d->disk = node_bool(node_child(n, "disk"));
        int r = node_dup(node_child(n, "key"), &d->key);
        if (r >= 0)
                r = node_dup(node_child(n, "sslThumbprint"), &d->thumbprint);
        if (r >= 0)
                r = read_url(host, node_child(n, "url"), &d->url);
        return r < 0 ? r : d->key ? 0 : -EBADMSG;
}

int lease_info_read(const xmlNode *info, const char *host, Lease *l) {
        uint64_t timeout = node_number(node_child(info, "leaseTimeout"));
        size_t allocated = 0;

        l->timeout = timeout > 0 ? MIN(timeout, TIMEOUT_MAX / USEC_PER_SEC) * USEC_PER_SEC : TIMEOUT_DEFAULT;
        NODE_FOREACH(i, info, "deviceUrl") {
                if (l->n_devices == DEVICES_MAX)
                        return -EFBIG;
                if (!GREEDY_REALLOC(l->devices, allocated, l->n_devices + 1))
                        return -ENOMEM;
                LeaseDevice *d = &l->devices[l->n_devices];
                *d = (LeaseDevice){};
                l->n_devices++;
                int r = read_device(host, i, d);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- its states ------------------------------------------------------------------------------------ */

static int on_error(Session *s, const xmlNode *error) {
        _cleanup_fault_ Fault f = {};

        int r = fault_from_error(error, &f);
        return r < 0 ? r
                     : session_fail(s, fault_errno(strempty(f.type)), f.type,
                                       "%s: the export failed: %s (%s)", soap_host(session_soap(s)),
                                       f.text ? f.text : "no reason is given",
                                       f.type ? f.type : "unknown fault");
}

/* 1: it is not ready yet. */
static int look(Session *s, Lease *l) {
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;

        int r = property_read(s, LEASE, l->id, PROPERTIES("state", "error", "info"), &answer, &o);
        if (r < 0)
                return r;
        const xmlNode *state = property_value(o, "state");
        if (node_is(state, "initializing"))
                return 1;
        if (node_is(state, "error"))
                return on_error(s, property_value(o, "error"));
        if (!node_is(state, "ready"))
                return session_fail(s, -EBADMSG, NULL, "%s: the export has ended before it began",
                                soap_host(session_soap(s)));
        r = lease_info_read(property_value(o, "info"), soap_host(session_soap(s)), l);
        if (r == -EBADMSG || r == -EFBIG)
                return session_fail(s, r, NULL, "%s: the description of the export is malformed",
                                soap_host(session_soap(s)));
        return r;
}

static int wait_until_ready(Session *s, Lease *l) {
        usec_t deadline = now_monotonic() + READY_TIMEOUT, delay = POLL_MIN;

        for (;;) {
                int r = look(s, l);
                if (r <= 0)
                        return r;
                if (now_monotonic() >= deadline)
                        return session_fail(s, -ETIMEDOUT, NULL,
                                        "%s: the export is not ready after %" PRIu64 " seconds",
                                        soap_host(session_soap(s)), READY_TIMEOUT / USEC_PER_SEC);
                r = soap_sleep(session_soap(s), delay);
                if (r < 0)
                        return r;
                delay = MIN(2 * delay, POLL_MAX);
        }
}

typedef struct Export {
        const char *method, *type, *id;
        lease_begun_func begun;
        void *userdata;
} Export;

static int export(Session *s, const Export *e, Lease *ret) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};
        _cleanup_lease_ Lease l = {};

        int r = soap_request_new(e->method, e->type, e->id, &q);
        if (r >= 0)
                r = session_call(s, q, &answer);
        if (r >= 0)
                r = node_dup(answer.value, &l.id);
        if (r < 0)
                return r;
        if (!l.id)
                return session_fail(s, -EBADMSG, NULL, "%s: %s returned no lease",
                                soap_host(session_soap(s)), e->method);
        if (e->begun)
                e->begun(l.id, e->userdata);
        r = wait_until_ready(s, &l);
        if (r < 0) {
                /* It would be kept until it times out. The error is that of the wait. */
                _cleanup_request_ SoapRequest *abort = NULL;
                if (soap_request_new("HttpNfcLeaseAbort", LEASE, l.id, &abort) >= 0)
                        session_call_quietly(s, abort);
                return r;
        }
        *ret = l;
        l = (Lease){};
        return 0;
}

int lease_export_vm(Session *s, const char *vm, lease_begun_func begun, void *userdata, Lease *ret) {
        return export(s, &(Export){ "ExportVm", "VirtualMachine", vm, begun, userdata }, ret);
}

int lease_export_snapshot(
                Session *s, const char *snapshot, lease_begun_func begun, void *userdata, Lease *ret) {
        return export(s, &(Export){ "ExportSnapshot", "VirtualMachineSnapshot", snapshot, begun, userdata },
                        ret);
}

/* A call without arguments. */
static int call(Session *s, const char *method, const Lease *l) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};

        int r = soap_request_new(method, LEASE, l->id, &q);
        return r < 0 ? r : session_call(s, q, &answer);
}

int lease_progress(Session *s, const Lease *l, unsigned percent) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};

        int r = soap_request_new("HttpNfcLeaseProgress", LEASE, l->id, &q);
        if (r < 0)
                return r;
        soap_request_number(q, "percent", MIN(percent, 100u));
        return session_call(s, q, &answer);
}

int lease_complete(Session *s, const Lease *l) {
        return call(s, "HttpNfcLeaseComplete", l);
}

int lease_abort(Session *s, const Lease *l) {
        int r = call(s, "HttpNfcLeaseAbort", l);

        return r == -ENOENT || r == -EBADFD || r == -ETIMEDOUT ? 0 : r;
}

/* --- checksums ------------------------------------------------------------------------------------- */

int lease_use_sha256(Session *s, const Lease *l) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};

        int r = soap_request_new("HttpNfcLeaseSetManifestChecksumType", LEASE, l->id, &q);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n_devices; i++) {
                if (!l->devices[i].disk)
                        continue;
                soap_request_open(q, "deviceUrlsToChecksumTypes", NULL);
                soap_request_text(q, "key", l->devices[i].key);
                soap_request_text(q, "value", "sha256");
                soap_request_close(q);
        }
        return session_call(s, q, &answer);
}

static int copy_hex(const xmlNode *n, size_t size, char **ret) {
        _cleanup_free_ char *hex = NULL;

        int r = node_dup(n, &hex);
        if (r < 0 || !hex)
                return r;
        for (char *p = hex; *p; p++)
                *p = *p >= 'A' && *p <= 'F' ? (char) (*p | 0x20) : *p;
        if (strlen(hex) == size && strspn(hex, "0123456789abcdef") == size)
                *ret = TAKE_PTR(hex);
        return 0;
}

static int read_checksum(const xmlNode *n, LeaseChecksum *c) {
        const xmlNode *type = node_child(n, "checksumType");

        c->size = node_number(node_child(n, "size"));
        c->capacity = node_number(node_child(n, "capacity"));
        c->sha256 = node_is(type, "sha256");
        int r = node_dup(node_child(n, "key"), &c->key);
        if (r >= 0)
                r = c->sha256 ? copy_hex(node_child(n, "checksum"), 64, &c->hex)
                              : copy_hex(node_child(n, "sha1"), 40, &c->hex);
        return r;
}

int lease_manifest_read(const xmlNode *first, LeaseManifest *ret) {
        _cleanup_lease_manifest_ LeaseManifest m = {};
        size_t allocated = 0;
        int r;

        for (const xmlNode *i = first; i; i = node_next(i)) {
                if (m.n_entries == DEVICES_MAX)
                        return -EFBIG;
                if (!GREEDY_REALLOC(m.entries, allocated, m.n_entries + 1))
                        return -ENOMEM;
                LeaseChecksum *c = &m.entries[m.n_entries];
                *c = (LeaseChecksum){};
                m.n_entries++;
                r = read_checksum(i, c);
                if (r < 0)
                        return r;
        }
        *ret = m;
        m = (LeaseManifest){};
        return 0;
}

int lease_manifest(Session *s, const Lease *l, LeaseManifest *ret) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};

        int r = soap_request_new("HttpNfcLeaseGetManifest", LEASE, l->id, &q);
        if (r >= 0)
                r = session_call(s, q, &answer);
        if (r >= 0)
                r = lease_manifest_read(answer.value, ret);
        if (r == -EFBIG)
                return session_fail(s, r, NULL, "%s: the list of checksums is too long",
                                soap_host(session_soap(s)));
        return r;
}
