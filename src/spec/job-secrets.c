/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the secrets out of a spec: the document keeps "***". */

#include "spec/job-secrets.h"
#include "basic/string-util.h"
#include "json/json-redact.h"
#include "json/json-table.h"

#define MASK "***"

/* The parts of a spec in which a secret is of use to the job; elsewhere it is only masked. */
static const char *const sections[] = { "source", "destination", "parameters" };

/* A URI's user name is of use to the job; nbd_uri_parse() and host_uri_parse() refuse one with a password. */
static const struct {
        const char *section, *key;
} with_uri[] = { { "source", "uri" }, { "destination", "uri" }, { "destination", "libvirt_uri" } };

static int cut_value(json_t *value, const char *path, json_t *secrets, JsonErrors *errors);

static int cut_secret(json_t *value, const char *path, json_t *secrets, JsonErrors *errors) {
        if (json_is_null(value))
                return 0;
        if (!json_is_string(value))
                return json_errors_add(errors, path, "must be a string");
        if (streq(json_string_value(value), MASK))
                return 0;
        if (json_object_set(secrets, path, value) < 0)
                return -ENOMEM;
        return 0;
}

static int cut_object(json_t *object, const char *path, json_t *secrets, JsonErrors *errors) {
        const char *key;
        json_t *value;
        int r;

        json_object_foreach(object, key, value) {
                _cleanup_free_ char *full = json_path_join(path, key);

                if (!full)
                        return -ENOMEM;
                r = json_key_is_secret(key) ? cut_secret(value, full, secrets, errors)
                                            : cut_value(value, full, secrets, errors);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int cut_value(json_t *value, const char *path, json_t *secrets, JsonErrors *errors) {
        json_t *item;
        size_t i;
        int r;

        if (json_is_object(value))
                return cut_object(value, path, secrets, errors);
        json_array_foreach(value, i, item) {
                _cleanup_free_ char *full = strprintf("%s.%zu", path, i);

                r = full ? cut_value(item, full, secrets, errors) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

int job_secrets_cut(json_t *spec, json_t **ret_document, json_t **ret_secrets, JsonErrors *errors) {
        _cleanup_json_ json_t *document = json_redact(spec), *secrets = json_object();
        int r;

        if (!document || !secrets)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                r = cut_value(json_object_get(spec, sections[i]), sections[i], secrets, errors);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(with_uri); i++) {
                const char *section = with_uri[i].section, *key = with_uri[i].key;
                json_t *uri = json_object_get(json_object_get(spec, section), key);

                if (json_is_string(uri) &&
                                json_object_set_new(json_object_get(document, section), key,
                                                json_string(json_string_value(uri))) < 0)
                        return -ENOMEM;
        }
        *ret_document = TAKE_PTR(document);
        *ret_secrets = TAKE_PTR(secrets);
        return 0;
}

static int list_value(json_t *value, const char *path, bool secret, char ***names) {
        json_t *item;
        const char *key;
        size_t i;
        int r = 0;

        if (secret && streq_ptr(json_string_value(value), MASK))
                return strv_extend(names, path);
        json_object_foreach(value, key, item) {
                _cleanup_free_ char *full = json_path_join(path, key);

                r = full ? list_value(item, full, json_key_is_secret(key), names) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        json_array_foreach(value, i, item) {
                _cleanup_free_ char *full = strprintf("%s.%zu", path, i);

                r = full ? list_value(item, full, false, names) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

int job_secrets_list(json_t *document, char ***ret) {
        _cleanup_strv_free_ char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                int r = list_value(json_object_get(document, sections[i]), sections[i], false, &names);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(names);
        return 0;
}
