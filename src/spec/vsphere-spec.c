/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/vsphere-server.h"
#include "spec/vsphere-spec.h"

#define PASSWORD_MAX 1024u

static const char *const method_names[_VSPHERE_METHOD_MAX] = {
        [VSPHERE_METHOD_AUTO] = "auto",
        [VSPHERE_METHOD_VDDK] = "vddk",
        [VSPHERE_METHOD_NFC] = "nfc",
        [VSPHERE_METHOD_HTTPS] = "https",
};

static const char *const power_names[_VSPHERE_POWER_MAX] = {
        [VSPHERE_POWER_KEEP] = "keep",
        [VSPHERE_POWER_SHUTDOWN] = "shutdown",
        [VSPHERE_POWER_OFF] = "poweroff",
};

const char *vsphere_method_to_string(VsphereMethod m) {
        return m >= 0 && m < _VSPHERE_METHOD_MAX ? method_names[m] : NULL;
}

VsphereMethod vsphere_method_from_string(const char *s) {
        for (int i = 0; s && i < _VSPHERE_METHOD_MAX; i++)
                if (streq(method_names[i], s))
                        return i;
        return _VSPHERE_METHOD_INVALID;
}

VspherePower vsphere_power_from_string(const char *s) {
        for (int i = 0; s && i < _VSPHERE_POWER_MAX; i++)
                if (streq(power_names[i], s))
                        return i;
        return streq_ptr(s, "off") ? VSPHERE_POWER_OFF : _VSPHERE_POWER_INVALID;
}

/* --- the fields ------------------------------------------------------------------------------------ */

typedef struct Check {
        const VsphereSpec *s;
        json_t *json;
        const char *section;
        JsonErrors *errors;
} Check;

static int complain(const Check *c, const char *key, const char *what) {
        _cleanup_free_ char *path = strprintf("%s.%s", c->section, key);

        return path ? json_errors_add(c->errors, path, "%s", what) : -ENOMEM;
}

static bool is_given(const Check *c, const char *key) {
        json_t *value = json_object_get(c->json, key);

        return value && !json_is_null(value);
}

static int check_url(const Check *c) {
        _cleanup_free_ char *url = NULL;
        const char *reason = NULL;
        int r = vsphere_url_normalize(c->s->url, &url, &reason);

        return r == -EINVAL ? complain(c, "vcenter_url", reason) : r;
}

static int check_password(const Check *c) {
        json_t *password = json_object_get(c->json, "password");
        size_t n = json_string_length(password);

        if (!is_given(c, "password"))
                return complain(c, "password", "must be given");
        if (!json_is_string(password) || n == 0 || n > PASSWORD_MAX ||
                        strlen(json_string_value(password)) != n)
                return complain(c, "password", "must be a string of 1 to 1024 bytes");
        return 0;
}

/* Without a stored source. */
static int check_login(const Check *c) {
        int r = 0;

        if (!is_given(c, "vcenter_url"))
                r = complain(c, "vcenter_url", "must be given, or the name of a stored source");
        else if (c->s->url)
                r = check_url(c);
        if (r >= 0 && !is_given(c, "username"))
                r = complain(c, "username", "must be given");
        else if (r >= 0 && c->s->username && (!*c->s->username || utf8_has_control(c->s->username)))
                r = complain(c, "username", "must be one line of text");
        return r < 0 ? r : check_password(c);
}

static int check_trust(const Check *c) {
        char thumbprint[VSPHERE_THUMBPRINT_SIZE];
        int r = 0;

        if (c->s->ca && !vsphere_ca_is_valid(c->s->ca))
                r = complain(c, "ca", "must be certificates in PEM form");
        if (r >= 0 && c->s->thumbprint && vsphere_thumbprint_normalize(c->s->thumbprint, thumbprint) < 0)
                r = complain(c, "thumbprint",
                                "must be the SHA-256 digest of the certificate: 64 hexadecimal digits, with "
                                "or without colons");
        return r;
}

/* True for a source whose name has been resolved: the manager has filled in what is stored. */
static bool is_resolved(const Check *c) {
        return streq_ptr(json_string_value(json_object_get(c->json, "password")), "***");
}

/* With a stored source, the rest is known. */
static int check_stored(const Check *c) {
        static const char *const keys[] = { "vcenter_url", "username", "password", "ca", "thumbprint" };
        int r = 0;

        if (c->s->name && !vsphere_source_name_is_valid(c->s->name))
                r = complain(c, "name",
                                "must be 1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a "
                                "letter or digit");
        for (size_t i = 0; i < ELEMENTSOF(keys) && r >= 0 && !is_resolved(c); i++)
                if (is_given(c, keys[i]))
                        r = complain(c, keys[i], "must not be given with name: the stored source has it");
        /* (A client can say that it is resolved, too.) */
        return r >= 0 && is_resolved(c) && c->s->url ? check_url(c) : r;
}

/* "must …" of an inventory path; NULL: it is well-formed. */
static const char *path_fault(const char *path) {
        if (!*path || streq(path, "/"))
                return "must not be empty";
        if (utf8_has_control(path))
                return "must not contain control characters";
        if (strstr(path, "//") || endswith(path, "/"))
                return "must not have empty components (a \"/\" in a name is written as \"%2f\")";
        return NULL;
}

static bool is_uuid(const char *s) {
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

        if (strlen(s) != sizeof(form) - 1)
                return false;
        for (size_t i = 0; s[i]; i++)
                if (form[i] == 'x' ? !isxdigit((unsigned char) s[i]) : s[i] != '-')
                        return false;
        return true;
}

static int check_machine(const Check *c) {
        const char *fault = c->s->vm_path ? path_fault(c->s->vm_path) : NULL;
        int r = 0;

        if (is_given(c, "vm_path") == is_given(c, "vm_uuid"))
                r = complain(c, "vm_path",
                                is_given(c, "vm_path") ? "must not be given together with vm_uuid"
                                                       : "must be given, or vm_uuid");
        else if (fault)
                r = complain(c, "vm_path", fault);
        if (r >= 0 && c->s->vm_uuid && !is_uuid(c->s->vm_uuid))
                r = complain(c, "vm_uuid", "must be a UUID");
        fault = c->s->datacenter ? path_fault(c->s->datacenter) : NULL;
        return r >= 0 && fault ? complain(c, "datacenter", fault) : r;
}

int vsphere_spec_check(const VsphereSpec *s, json_t *json, const char *section, JsonErrors *errors) {
        const Check c = { .s = s, .json = json, .section = section, .errors = errors };
        int r = is_given(&c, "name") ? check_stored(&c) : check_login(&c);

        if (r >= 0)
                r = check_trust(&c);
        return r < 0 ? r : check_machine(&c);
}

const char *vsphere_file_name(const char *vm_path) {
        const char *slash = strrchr(vm_path, '/'), *name = slash ? slash + 1 : vm_path;

        return streq(name, "") || streq(name, ".") || streq(name, "..") ? NULL : name;
}

int vsphere_spec_normalize(VsphereSpec *s, json_t *json) {
        char thumbprint[VSPHERE_THUMBPRINT_SIZE];
        _cleanup_free_ char *url = NULL;
        const char *reason;
        int r = 0;

        if (s->url) {
                r = vsphere_url_normalize(s->url, &url, &reason);
                if (r < 0)
                        return r;
                free(s->url);
                s->url = TAKE_PTR(url);
                if (json_object_set_new(json, "vcenter_url", json_string(s->url)) < 0)
                        return -ENOMEM;
        }
        if (s->thumbprint) {
                r = vsphere_thumbprint_normalize(s->thumbprint, thumbprint);
                if (r >= 0)
                        r = free_and_strdup(&s->thumbprint, thumbprint);
                if (r >= 0 && json_object_set_new(json, "thumbprint", json_string(thumbprint)) < 0)
                        r = -ENOMEM;
        }
        return r < 0 ? r : 0;
}
