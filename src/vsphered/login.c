/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/login.h"

#include "basic/string-util.h"
#include "spec/vsphere-server.h"
#include "json/json-parse.h"

#define TEXT_MAX 256u
#define PASSWORD_MAX 1024u

static const JsonField fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(Login, name), JSON_NULLABLE },
        { "vcenter_url", JSON_FIELD_STRING, offsetof(Login, url), JSON_NULLABLE, .max = VSPHERE_URL_MAX },
        { "username", JSON_FIELD_STRING, offsetof(Login, username), JSON_NULLABLE, .max = TEXT_MAX },
        { "password", JSON_FIELD_STRING, offsetof(Login, password), JSON_NULLABLE, .max = PASSWORD_MAX },
        { "datacenter", JSON_FIELD_STRING, offsetof(Login, datacenter), JSON_NULLABLE, .max = TEXT_MAX },
        { "ca", JSON_FIELD_STRING, offsetof(Login, ca), JSON_NULLABLE, .max = VSPHERE_CA_MAX },
        { "thumbprint", JSON_FIELD_STRING, offsetof(Login, thumbprint), JSON_NULLABLE },
        {},
};

void login_done(Login *l) {
        if (l->password)
                explicit_bzero(l->password, strlen(l->password));
        json_table_done(fields, l);
        *l = (Login){};
}

/* What is empty is the same as what is not given. */
static void drop_empty(char **text) {
        if (isempty(*text))
                *text = mfree(*text);
}

static int check_server(Login *l, JsonErrors *errors) {
        const struct {
                const char *field, *value;
        } needed[] = { { "vcenter_url", l->url }, { "username", l->username }, { "password", l->password } };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(needed) && r >= 0; i++)
                if (isempty(needed[i].value))
                        r = json_errors_add(errors, needed[i].field, "is required without a named source");
        if (r < 0)
                return r;
        drop_empty(&l->url);
        drop_empty(&l->ca);
        drop_empty(&l->thumbprint);
        return vsphere_server_check(&l->url, l->ca, &l->thumbprint, errors);
}

static int check_name(const Login *l, JsonErrors *errors) {
        if (!vsphere_source_name_is_valid(l->name))
                return json_errors_add(errors, "name", "must be the name of a source");
        if (l->url || l->username || l->password || l->ca || l->thumbprint)
                return json_errors_add(errors, "name",
                                "must not be given together with vcenter_url, username, password, ca or "
                                "thumbprint");
        return 0;
}

int login_decode(const char *text, Login *ret, JsonErrors *errors) {
        _cleanup_(login_done) Login l = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(text, strlen(text), &object, &why);

        if (r == -EBADMSG)
                r = json_errors_add(errors, "", "%s", why);
        else if (r >= 0 && (r = json_table_decode(fields, object, "", &l, errors)) >= 0)
                r = l.name ? check_name(&l, errors) : check_server(&l, errors);
        STRV_FOREACH(key, errors->unknown)
                if (r >= 0)
                        r = json_errors_add(errors, *key, "there is no such field");
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = l;
        l = (Login){};
        return 0;
}

static bool same(const char *a, const char *b) {
        return streq(strempty(a), strempty(b));
}

bool login_equal(const Login *a, const Login *b) {
        return same(a->url, b->url) && same(a->username, b->username) && same(a->password, b->password) &&
                        same(a->ca, b->ca) && same(a->thumbprint, b->thumbprint);
}
