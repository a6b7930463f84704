/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/job-endpoint.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "shared/nbd-uri.h"

#define PSK_MAX 4096

typedef struct Check {
        const JobEndpoint *e;
        json_t *json;
        const char *section; /* "source" or "destination" */
        bool is_destination;
        JsonErrors *errors;
} Check;

static bool is_given(const Check *c, const char *key) {
        json_t *value = json_object_get(c->json, key);

        return value && !json_is_null(value);
}

static int complain(const Check *c, const char *key, const char *what) {
        _cleanup_free_ char *path = key ? strprintf("%s.%s", c->section, key) : strdup(c->section);

        return path ? json_errors_add(c->errors, path, "%s", what) : -ENOMEM;
}

/* A field that the type has no use for is a misunderstanding worth telling. */
static int check_unused(const Check *c, const char *const *keys, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *what = NULL;
                int r;

                if (!is_given(c, keys[i]))
                        continue;
                what = strprintf("must not be given with type \"%s\"", endpoint_type_to_string(c->e->type));
                r = what ? complain(c, keys[i], what) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_file(const Check *c) {
        static const char *const unused[] = { "uri", "tls_certificates", "tls_psk" };
        const char *reason;
        int r = 0;

        if (!is_given(c, "path"))
                r = complain(c, "path", "must be given");
        else if (c->e->path && !job_path_is_valid(c->e->path, c->is_destination, &reason))
                r = complain(c, "path", reason);
        return r < 0 ? r : check_unused(c, unused, ELEMENTSOF(unused));
}

static int check_tls(const Check *c, bool tls) {
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

static int check_nbd(const Check *c) {
        static const char *const unused[] = { "path", "checksum" };
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
        return r < 0 ? r : check_unused(c, unused, ELEMENTSOF(unused));
}

int job_endpoint_check(const JobEndpoint *e, json_t *json, bool is_destination, JsonErrors *errors) {
        const Check c = { .e = e,
                .json = json,
                .section = is_destination ? "destination" : "source",
                .is_destination = is_destination,
                .errors = errors };

        switch (e->type) {
        case ENDPOINT_FILE:
                return check_file(&c);
        case ENDPOINT_NBD:
                return check_nbd(&c);
        default:
                return 0; /* the decoder told that the type is wrong */
        }
}
