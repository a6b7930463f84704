/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-define.h"

#include <dirent.h>
#include <libvirt/virterror.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/domain-capabilities.h"
#include "hosts/hardware.h"
#include "hosts/host-xml.h"
#include "hosts/libvirt-domain.h"
#include "hosts/libvirt-error.h"
#include "hosts/libvirt-volume.h"

#define WORDS_MAX 2048u

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* --- the host -------------------------------------------------------------------------------------- */

static int read_capabilities(virConnectPtr c, KvmTarget *t, char **ret_error) {
        _cleanup_free_ char *xml = virConnectGetDomainCapabilities(c, NULL, "x86_64", "q35", NULL, 0);

        t->q35 = xml;
        if (!xml)
                xml = virConnectGetDomainCapabilities(c, NULL, "x86_64", NULL, NULL, 0);
        return xml ? domain_capabilities_read(xml, strlen(xml), t) : libvirt_error(ret_error);
}

static int read_networks(virConnectPtr c, KvmTarget *t, char **ret_error) {
        virNetworkPtr *networks = NULL;
        int n = virConnectListAllNetworks(c, &networks, 0), r = 0;

        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                const char *name = virNetworkGetName(networks[i]);
                if (r >= 0 && name && utf8_is_valid(name)) {
                        r = strv_extend(&t->networks, name);
                        if (r >= 0 && virNetworkIsActive(networks[i]) == 0)
                                r = strv_extend(&t->inactive, name);
                }
                (void) virNetworkFree(networks[i]);
        }
        free(networks);
        return r;
}

/* Of this machine: libvirt knows its bridges only if it was built with a driver for them. */
static int read_local_bridges(KvmTarget *t) {
        _cleanup_(closedirp) DIR *d = opendir("/sys/class/net");
        int r = 0;

        for (struct dirent *e = d ? readdir(d) : NULL; e && r >= 0; e = readdir(d)) {
                _cleanup_free_ char *path = strprintf("/sys/class/net/%s/bridge", e->d_name);
                if (!path)
                        return -ENOMEM;
                if (e->d_name[0] != '.' && utf8_is_valid(e->d_name) && access(path, F_OK) >= 0)
                        r = strv_extend(&t->bridges, e->d_name);
        }
        return r;
}

/* Of another machine. Without that driver, none are known. */
static int read_bridges(virConnectPtr c, KvmTarget *t) {
        virInterfacePtr *interfaces = NULL;
        int n = virConnectListAllInterfaces(c, &interfaces, VIR_CONNECT_LIST_INTERFACES_ACTIVE), r = 0;

        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *xml = r >= 0 ? virInterfaceGetXMLDesc(interfaces[i], 0) : NULL;
                const char *name = virInterfaceGetName(interfaces[i]);
                bool is_bridge = false;

                if (xml && name && utf8_is_valid(name) &&
                                interface_xml_read(xml, strlen(xml), &is_bridge) >= 0 && is_bridge)
                        r = strv_extend(&t->bridges, name);
                (void) virInterfaceFree(interfaces[i]);
        }
        free(interfaces);
        return r;
}

/* A domain that is undefined meanwhile is left out. */
static int add_domain(KvmTarget *t, virDomainPtr domain) {
        _cleanup_free_ char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
        const char *name = virDomainGetName(domain);
        char uuid[VIR_UUID_STRING_BUFLEN];

        if (!xml || !name || !utf8_is_valid(name) || virDomainGetUUIDString(domain, uuid) < 0)
                return 0;
        KvmNeighbour *n = kvm_target_add_domain(t);
        if (!n)
                return errno == E2BIG ? 0 : -ENOMEM;
        n->name = strdup(name);
        n->uuid = strdup(uuid);
        if (!n->name || !n->uuid)
                return -ENOMEM;
        int r = domain_macs_read(xml, strlen(xml), &n->macs);
        return r == -EBADMSG ? 0 : r;
}

static int read_domains(virConnectPtr c, KvmTarget *t, char **ret_error) {
        virDomainPtr *domains = NULL;
        int n = virConnectListAllDomains(c, &domains, 0), r = 0;

        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add_domain(t, domains[i]);
                (void) virDomainFree(domains[i]);
        }
        free(domains);
        return r;
}

int libvirt_target(
                virConnectPtr connection, bool local, const char *pool, KvmTarget **ret, char **ret_error) {
        _cleanup_kvm_target_ KvmTarget *t = new0(KvmTarget, 1);

        if (!t)
                return -ENOMEM;
        int r = read_capabilities(connection, t, ret_error);
        if (r >= 0)
                r = read_networks(connection, t, ret_error);
        if (r >= 0)
                r = local ? read_local_bridges(t) : read_bridges(connection, t);
        if (r >= 0)
                r = read_domains(connection, t, ret_error);
        if (r >= 0 && pool)
                r = libvirt_pool(connection, pool, t, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

/* --- the domain ------------------------------------------------------------------------------------ */

int libvirt_words(virConnectPtr c, char **ret) {
        const virError *e = virGetLastError();
        _cleanup_free_ char *text = NULL;
        const char *words = e && e->message ? e->message : "libvirt does not say why";

        text = utf8_make_valid(words, strlen(words), WORDS_MAX);
        if (!text)
                return -ENOMEM;
        utf8_replace_control(text, ' ');
        if (virConnectIsAlive(c) != 1)
                return -ENOLINK;
        *ret = TAKE_PTR(text);
        return 0;
}

static int note_refusal(virConnectPtr c, KvmOutcome *o) {
        o->error = mfree(o->error);
        return libvirt_words(c, &o->error);
}

bool libvirt_is_of_job(virDomainPtr domain, const char *job_id) {
        _cleanup_free_ char *metadata = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                            HARDWARE_NAMESPACE, VIR_DOMAIN_AFFECT_CURRENT),
                            *id = strprintf("id=\"%s\"", job_id), *other = strprintf("id='%s'", job_id);

        return metadata && id && other && (strstr(metadata, id) || strstr(metadata, other));
}

/* The domain of that name, if it was made for this job: then an earlier call did not live to say so. */
static virDomainPtr find_own(virConnectPtr c, const KvmDomain *d) {
        _cleanup_domain_ virDomainPtr domain = virDomainLookupByName(c, d->name);

        return domain && libvirt_is_of_job(domain, d->job_id) ? TAKE_PTR(domain) : NULL;
}

static int define(virConnectPtr c, const DefineRequest *q, KvmOutcome *o, virDomainPtr *ret,
                char **ret_error) {
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        const KvmDomain *d = q->domain;

        int r = libvirt_target(c, q->local, NULL, &t, ret_error);
        if (r < 0)
                return virConnectIsAlive(c) == 1 ? r : -ENOLINK;
        /* A network that has ended meanwhile is a reason not to start the domain, but to define it. */
        t->inactive = strv_free(t->inactive);
        r = kvm_domain_check(d, t, &o->error);
        bool refused = r < 0;
        /* The XML is of use even then: a person can change it. */
        r = hardware_xml(d, t, &o->xml, &o->warnings);
        if (r == -EILSEQ && !o->error)
                o->error = strdup("a name or path has characters that XML cannot have");
        if (r == -ENOMEM || ((refused || r < 0) && !o->error))
                return -ENOMEM;
        if (refused || r < 0)
                return 0;
        *ret = virDomainDefineXMLFlags(c, o->xml, VIR_DOMAIN_DEFINE_VALIDATE);
        return *ret ? 0 : note_refusal(c, o);
}

static int start(virConnectPtr c, virDomainPtr domain, const DefineRequest *q, KvmOutcome *o) {
        o->running = virDomainIsActive(domain) == 1;
        if (!q->domain->start || o->running)
                return 0;
        if (q->must_not_start) {
                o->error = strdup(q->must_not_start);
                return o->error ? 0 : -ENOMEM;
        }
        if (virDomainCreate(domain) < 0)
                return note_refusal(c, o);
        o->running = true;
        return 0;
}

int libvirt_define(virConnectPtr connection, const DefineRequest *q, KvmOutcome **ret, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = find_own(connection, q->domain);
        _cleanup_kvm_outcome_ KvmOutcome *o = new0(KvmOutcome, 1);
        char uuid[VIR_UUID_STRING_BUFLEN];
        int r = 0;

        if (!o || !(o->name = strdup(q->domain->name)))
                return -ENOMEM;
        if (!domain)
                r = define(connection, q, o, &domain, ret_error);
        if (r >= 0 && domain) {
                if (virDomainGetUUIDString(domain, uuid) < 0)
                        return libvirt_error(ret_error);
                o->uuid = strdup(uuid);
                r = o->uuid ? start(connection, domain, q, o) : -ENOMEM;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}
