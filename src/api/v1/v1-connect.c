/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-connect.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "basic/string-util.h"
#include "spec/vsphere-server.h"
#include "json/json-table.h"

#define TEXT_MAX 256u
#define PASSWORD_MAX 1024u
#define ENDPOINT_MAX VSPHERE_URL_MAX
#define FINGERPRINT_BYTES 32u

static const char built_in[] = "vsphere, libvirt";

/* Words of which several mean the same. */
typedef struct Body {
        char *provider, *type, *endpoint, *host, *server, *url, *vcenter_url, *ca_certificate, *ca,
                        *fingerprint, *thumbprint, *id, *name, *username, *password, *datacenter;
        bool insecure, save;
} Body;

#define TEXT(member, limit) \
        { #member, JSON_FIELD_STRING, offsetof(Body, member), JSON_NULLABLE, .max = (limit) }
static const JsonField fields[] = {
        TEXT(provider, TEXT_MAX),
        TEXT(type, TEXT_MAX),
        TEXT(endpoint, ENDPOINT_MAX),
        TEXT(host, ENDPOINT_MAX),
        TEXT(server, ENDPOINT_MAX),
        TEXT(url, ENDPOINT_MAX),
        TEXT(vcenter_url, ENDPOINT_MAX),
        TEXT(ca_certificate, VSPHERE_CA_MAX),
        TEXT(ca, VSPHERE_CA_MAX),
        TEXT(fingerprint, TEXT_MAX),
        TEXT(thumbprint, TEXT_MAX),
        TEXT(id, TEXT_MAX),
        TEXT(name, TEXT_MAX),
        TEXT(username, TEXT_MAX),
        TEXT(password, PASSWORD_MAX),
        TEXT(datacenter, TEXT_MAX),
        { "insecure", JSON_FIELD_BOOLEAN, offsetof(Body, insecure), JSON_NULLABLE },
        { "save", JSON_FIELD_BOOLEAN, offsetof(Body, save), JSON_NULLABLE },
        {},
};

static void wipe(char *secret) {
        if (secret)
                explicit_bzero(secret, strlen(secret));
}

static void body_done(Body *b) {
        wipe(b->password);
        json_table_done(fields, b);
}

void v1_connect_done(V1Connect *c) {
        wipe(c->password);
        free(c->id);
        free(c->name);
        free(c->endpoint);
        free(c->username);
        free(c->password);
        free(c->datacenter);
        free(c->ca);
        free(c->fingerprint);
        *c = (V1Connect){};
}

/* Takes the first text that is not empty. */
static char *take(char **a, char **b) {
        char **from = isempty(*a) ? b : a;

        return isempty(*from) ? NULL : TAKE_PTR(*from);
}

/* --- checks ---------------------------------------------------------------------------------------- */

static bool id_is_valid(const char *id) {
        size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return n >= 1 && n <= V1_PROVIDER_ID_MAX && !id[n] && id[0] != '-';
}

static int check_type(const char *word, V1Connect *c, JsonErrors *errors) {
        int type = word ? v1_provider_type_from_string(word) : -EINVAL;

        if (!word)
                return json_errors_add(errors, "provider", "is required: %s", built_in);
        if (type != V1_PROVIDER_VSPHERE && type != V1_PROVIDER_LIBVIRT)
                return json_errors_add(
                                errors, "provider", "must be one of %s; others are not built in", built_in);
        c->type = (V1ProviderType) type;
        return 0;
}

/* The host of "https://HOST[:PORT]" is in these networks, from which clouds give away credentials. */
static bool is_link_local(const char *url) {
        const char *host = url + strlen("https://");
        char text[INET6_ADDRSTRLEN + 2];
        struct in6_addr v6;
        struct in_addr v4;
        size_t n = host[0] == '[' ? strcspn(++host, "]") : strcspn(host, ":/");

        if (n >= sizeof(text))
                return false;
        memcpy(text, host, n);
        text[n] = '\0';
        if (inet_aton(text, &v4))
                return (ntohl(v4.s_addr) & 0xffff0000) == 0xa9fe0000;
        return inet_pton(AF_INET6, text, &v6) == 1 &&
                        (IN6_IS_ADDR_LINKLOCAL(&v6) ||
                                        (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 169 &&
                                                        v6.s6_addr[13] == 254));
}

static int check_vsphere(V1Connect *c, JsonErrors *errors) {
        static const struct {
                const char *field, *name; /* in the definition of a source, and here */
        } names[] = { { "vcenter_url", "endpoint" }, { "ca", "ca_certificate" },
                { "thumbprint", "fingerprint" } };
        _cleanup_(json_errors_done) JsonErrors found = {};
        int r = vsphere_server_check(&c->endpoint, c->ca, &c->fingerprint, &found);

        for (size_t i = 0; i < found.n_errors && r >= 0; i++)
                for (size_t k = 0; k < ELEMENTSOF(names) && r >= 0; k++)
                        if (streq(found.errors[i].field, names[k].field))
                                r = json_errors_add(errors, names[k].name, "%s", found.errors[i].text);
        if (r >= 0 && found.n_errors == 0 && c->endpoint && is_link_local(c->endpoint))
                r = json_errors_add(errors, "endpoint", "must not be a link-local address");
        if (r >= 0 && !c->username)
                r = json_errors_add(errors, "username", "is required");
        if (r >= 0 && !c->password)
                r = json_errors_add(errors, "password", "is required");
        return r;
}

/* "HOST" is reached over ssh. */
static int check_libvirt(V1Connect *c, JsonErrors *errors) {
        if (c->password)
                return json_errors_add(errors, "password",
                                "must not be given: hosts of libvirt are reached with the key that "
                                "'hyperctl host key' prints");
        if (!c->endpoint || strstr(c->endpoint, "://"))
                return 0;
        char *uri = strprintf("qemu+ssh://%s@%s/system", c->username ? c->username : "root", c->endpoint);
        if (!uri)
                return -ENOMEM;
        free(c->endpoint);
        c->endpoint = uri;
        return 0;
}

/* --- the body -------------------------------------------------------------------------------------- */

static int check(const Body *b, V1Connect *c, JsonErrors *errors) {
        int r = check_type(isempty(b->provider) ? b->type : b->provider, c, errors);

        if (r >= 0 && !c->endpoint)
                r = json_errors_add(errors, "endpoint", "is required");
        if (r >= 0 && c->id && !id_is_valid(c->id))
                r = json_errors_add(errors, "id", "must be 1 to %u of a-z, 0-9 and -, and not begin with -",
                                V1_PROVIDER_ID_MAX);
        if (r >= 0 && c->id && (v1_provider_type_from_string(c->id) >= 0))
                r = json_errors_add(errors, "id", "must not be the name of a type");
        if (r < 0 || json_errors_has(errors, "provider"))
                return r;
        return c->type == V1_PROVIDER_VSPHERE ? check_vsphere(c, errors) : check_libvirt(c, errors);
}

int v1_connect_decode(json_t *object, V1Connect *ret, JsonErrors *errors) {
        json_t *password = json_object_get(object, "password");
        _cleanup_(body_done) Body b = { .save = true };
        _cleanup_(v1_connect_done) V1Connect c = {};
        int r = json_table_decode(fields, object, "", &b, errors);

        if (json_is_string(password))
                explicit_bzero((char *) json_string_value(password), json_string_length(password));
        if (r < 0)
                return r;
        c.endpoint = take(&b.endpoint, &b.host);
        if (!c.endpoint)
                c.endpoint = take(&b.server, &b.url);
        if (!c.endpoint)
                c.endpoint = take(&b.vcenter_url, &b.url);
        c.ca = take(&b.ca_certificate, &b.ca);
        c.fingerprint = take(&b.fingerprint, &b.thumbprint);
        c.id = take(&b.id, &b.id);
        c.name = take(&b.name, &b.name);
        c.username = take(&b.username, &b.username);
        c.password = take(&b.password, &b.password);
        c.datacenter = take(&b.datacenter, &b.datacenter);
        c.insecure = b.insecure;
        c.only_try = !b.save;
        r = check(&b, &c, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = c;
        c = (V1Connect){};
        return 0;
}

char *v1_fingerprint_in(const char *text) {
        const size_t length = 3 * FINGERPRINT_BYTES - 1;

        for (const char *p = text; *p; p++) {
                size_t n = 0;

                while (n < length && (n % 3 == 2 ? p[n] == ':' : isxdigit((unsigned char) p[n])))
                        n++;
                if (n == length)
                        return strndup(p, length);
        }
        return NULL;
}
