/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "certificate/self-signed.h"

/* In the subject: by this a certificate is known to be ours. */
#define ORGANIZATION "hyper self-signed"
#define NAMES_MAX 64u
#define CLOCK_SKEW USEC_PER_HOUR /* of clients */

typedef struct Maker {
        gnutls_x509_privkey_t key;
        gnutls_x509_crt_t certificate;
} Maker;

static void maker_done(Maker *m) {
        if (m->certificate)
                gnutls_x509_crt_deinit(m->certificate);
        if (m->key)
                gnutls_x509_privkey_deinit(m->key);
}

/* All functions of GnuTLS return a negative number on failure. */
static int first_error(const int *results, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (results[i] < 0)
                        return results[i] == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EIO;
        return 0;
}

static int add_name(gnutls_x509_crt_t c, const char *name) {
        struct in6_addr in6;
        struct in_addr in;

        if (inet_pton(AF_INET, name, &in) > 0)
                return gnutls_x509_crt_set_subject_alt_name(
                                c, GNUTLS_SAN_IPADDRESS, &in, sizeof(in), GNUTLS_FSAN_APPEND);
        if (inet_pton(AF_INET6, name, &in6) > 0)
                return gnutls_x509_crt_set_subject_alt_name(
                                c, GNUTLS_SAN_IPADDRESS, &in6, sizeof(in6), GNUTLS_FSAN_APPEND);
        return gnutls_x509_crt_set_subject_alt_name(
                        c, GNUTLS_SAN_DNSNAME, name, (unsigned) strlen(name), GNUTLS_FSAN_APPEND);
}

/* RFC 5280, 4.1.2.2: a positive number of at most 20 octets. */
static int set_serial(gnutls_x509_crt_t c) {
        uint8_t serial[16];
        int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

        serial[0] &= 0x7f;
        serial[0] |= 0x40;
        return r < 0 ? r : gnutls_x509_crt_set_serial(c, serial, sizeof(serial));
}

static int set_fields(const Maker *m, char *const *names, usec_t now) {
        gnutls_x509_crt_t c = m->certificate;
        const int results[] = {
                gnutls_x509_crt_set_version(c, 3),
                set_serial(c),
                gnutls_x509_crt_set_activation_time(c, (time_t) ((now - CLOCK_SKEW) / USEC_PER_SEC)),
                gnutls_x509_crt_set_expiration_time(
                                c, (time_t) ((now + SELF_SIGNED_LIFETIME) / USEC_PER_SEC)),
                gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, ORGANIZATION,
                                (unsigned) strlen(ORGANIZATION)),
                /* A common name has at most 64 characters (RFC 5280, appendix A). */
                gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, names[0],
                                (unsigned) MIN(strlen(names[0]), (size_t) 64)),
                gnutls_x509_crt_set_key(c, m->key),
                gnutls_x509_crt_set_basic_constraints(c, 0, -1),
                gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_DIGITAL_SIGNATURE),
                gnutls_x509_crt_set_key_purpose_oid(c, GNUTLS_KP_TLS_WWW_SERVER, 0),
        };
        int r = first_error(results, ELEMENTSOF(results));

        for (size_t i = 0; r >= 0 && names[i] && i < NAMES_MAX; i++)
                r = first_error(&(int){ add_name(c, names[i]) }, 1);
        return r;
}

static int export(const Maker *m, TlsPair *ret) {
        gnutls_datum_t certificate = {}, key = {};
        _cleanup_free_ char *why = NULL;
        const int results[] = {
                gnutls_x509_crt_export2(m->certificate, GNUTLS_X509_FMT_PEM, &certificate),
                gnutls_x509_privkey_export2_pkcs8(
                                m->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key),
        };
        int r = first_error(results, ELEMENTSOF(results));

        /* GnuTLS ends both with a NUL. */
        if (r >= 0)
                r = tls_pair_from_pem((char *) certificate.data, (char *) key.data, ret, &why);
        gnutls_free(certificate.data);
        if (key.data) {
                explicit_bzero(key.data, key.size);
                gnutls_free(key.data);
        }
        return r == -EBADMSG ? -EIO : r;
}

int self_signed_make(char *const *names, usec_t now, TlsPair *ret) {
        _cleanup_(maker_done) Maker m = {};
        int r;

        if (!names || !names[0])
                return -EINVAL;
        if (gnutls_x509_privkey_init(&m.key) < 0 || gnutls_x509_crt_init(&m.certificate) < 0)
                return -ENOMEM;
        if (gnutls_x509_privkey_generate(
                            m.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0)
                return -EIO;
        r = set_fields(&m, names, now);
        if (r < 0)
                return r;
        if (gnutls_x509_crt_sign2(m.certificate, m.certificate, m.key, GNUTLS_DIG_SHA256, 0) < 0)
                return -EIO;
        return export(&m, ret);
}

bool self_signed_is_ours(const TlsPair *p) {
        const gnutls_datum_t data = { .data = (unsigned char *) p->certificate,
                .size = (unsigned) strlen(p->certificate) };
        char organization[64] = "";
        size_t size = sizeof(organization);
        gnutls_x509_crt_t c;
        bool ours = false;

        if (gnutls_x509_crt_init(&c) < 0)
                return false;
        if (gnutls_x509_crt_import(c, &data, GNUTLS_X509_FMT_PEM) >= 0 &&
                        gnutls_x509_crt_get_dn_by_oid(c, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, 0,
                                        organization, &size) >= 0)
                ours = streq(organization, ORGANIZATION) && gnutls_x509_crt_check_issuer(c, c) > 0;
        gnutls_x509_crt_deinit(c);
        return ours;
}

/* --- names of this machine ------------------------------------------------------------------------- */

static int add_once(char ***names, const char *name) {
        return isempty(name) || strv_contains(*names, name) || strv_length(*names) >= NAMES_MAX
                        ? 0
                        : strv_extend(names, name);
}

/* What /etc/hosts or DNS call it. */
static int add_full_name(char ***names, const char *hostname) {
        const struct addrinfo hints = {
                .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME
        };
        struct addrinfo *info = NULL;
        int r = 0;

        if (getaddrinfo(hostname, NULL, &hints, &info) != 0)
                return 0;
        if (info->ai_canonname)
                r = add_once(names, info->ai_canonname);
        freeaddrinfo(info);
        return r;
}

static int add_address(char ***names, const struct sockaddr *address) {
        char text[INET6_ADDRSTRLEN];
        const void *bytes = NULL;

        if (address && address->sa_family == AF_INET)
                bytes = &((const struct sockaddr_in *) (const void *) address)->sin_addr;
        else if (address && address->sa_family == AF_INET6) {
                const struct in6_addr *in6 =
                                &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr;

                if (!IN6_IS_ADDR_LINKLOCAL(in6))
                        bytes = in6;
        }
        return bytes && inet_ntop(address->sa_family, bytes, text, sizeof(text)) ? add_once(names, text) : 0;
}

int self_signed_names(char ***ret) {
        _cleanup_strv_free_ char **names = NULL;
        char hostname[HOST_NAME_MAX + 1] = "";
        struct ifaddrs *addresses = NULL;
        int r = 0;

        if (gethostname(hostname, sizeof(hostname) - 1) >= 0)
                r = add_once(&names, hostname);
        if (r >= 0 && !isempty(hostname))
                r = add_full_name(&names, hostname);
        if (r >= 0)
                r = add_once(&names, "localhost");
        if (r >= 0 && getifaddrs(&addresses) >= 0) {
                for (const struct ifaddrs *a = addresses; a && r >= 0; a = a->ifa_next)
                        r = add_address(&names, a->ifa_addr);
                freeifaddrs(addresses);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}
