/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-limits.h"

#include "basic/string-util.h"
#include "spec/host-uri.h"
#include "spec/limit-rules.h"
#include "spec/nbd-uri.h"

int job_limits_check(const JobSpec *s, JsonErrors *errors) {
        size_t n = strv_length(s->limits);
        int r = 0;

        if (n > JOB_LIMITS_MAX)
                return json_errors_add(errors, "limits", "must have at most %u names", JOB_LIMITS_MAX);
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (limit_name_is_valid(s->limits[i]))
                        continue;
                _cleanup_free_ char *path = strprintf("limits[%zu]", i);
                r = path ? json_errors_add(errors, path,
                                           "must be a kind and a name, like \"esx:esx7.example.com\", at "
                                           "most %u bytes, without \"*\"",
                                           LIMIT_NAME_MAX)
                         : -ENOMEM;
        }
        return r;
}

/* What cannot be a name (a host that is too long) is no limit. */
static int add(char ***names, const char *kind, const char *host, size_t size) {
        _cleanup_free_ char *name = strprintf("%s:%.*s", kind, (int) MIN(size, (size_t) 1024), host);

        if (!name)
                return -ENOMEM;
        if (!limit_name_is_valid(name) || strv_contains(*names, name))
                return 0;
        return strv_extend(names, name);
}

/* "https://HOST[:PORT]", as vsphere_url_normalize() makes it. */
static int add_server(char ***names, const char *url) {
        const char *host = startswith(strempty(url), "https://");

        return host ? add(names, "vcenter", host, strcspn(host, "/")) : 0;
}

static int add_nbd(char ***names, const char *text) {
        _cleanup_free_ char *why = NULL;
        NbdUri uri = {};
        int r = nbd_uri_parse(text, &uri, &why);

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = uri.host ? add(names, "host", uri.host, strlen(uri.host)) : 0;
        nbd_uri_done(&uri);
        return r;
}

static int add_libvirt(char ***names, const KvmSpec *k) {
        const char *why;
        HostUri uri;

        if (!kvm_spec_is_remote(k) || host_uri_parse(kvm_spec_uri(k), true, &uri, &why) < 0 || !uri.host)
                return 0;
        return add(names, "host", uri.host, uri.host_size);
}

static int add_endpoint(char ***names, const JobEndpoint *e) {
        switch (e->type) {
        case ENDPOINT_VSPHERE:
                return add_server(names, e->vsphere.url);
        case ENDPOINT_NBD:
                return add_nbd(names, e->uri);
        case ENDPOINT_KVM:
                return add_libvirt(names, &e->kvm);
        default:
                return 0;
        }
}

static int by_bytes(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int job_limits_from_spec(const JobSpec *s, const StorageRules *storage, char **ret) {
        _cleanup_strv_free_ char **names = NULL;
        char *text = NULL;
        int r = add_endpoint(&names, &s->source);

        if (r >= 0 && job_spec_has_destination(s))
                r = add_endpoint(&names, &s->destination);
        STRV_FOREACH(name, s->limits)
                if (r >= 0 && !strv_contains(names, *name))
                        r = strv_extend(&names, *name);
        if (r >= 0)
                r = job_placement_add_words(s, storage, &names);
        if (r < 0)
                return r;
        if (names) {
                qsort(names, strv_length(names), sizeof(char *), by_bytes);
                text = strv_join(names, "\n");
                if (!text)
                        return -ENOMEM;
        }
        *ret = text;
        return 0;
}
