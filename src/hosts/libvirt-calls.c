/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <libxml/xmlerror.h>
#include <pthread.h>
#include <stdatomic.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/domain-xml.h"
#include "hosts/libvirt-calls.h"

#define ERROR_TEXT_MAX 2048

static void domain_freep(virDomainPtr *domain) {
        if (*domain)
                (void) virDomainFree(*domain);
}
#define _cleanup_domain_ _cleanup_(domain_freep)

/* --- libvirt's event loop -------------------------------------------------------------------------- */

static pthread_t events_thread;
static atomic_bool events_stop;
static bool events_running;

static void on_quiet_error(void *userdata, virErrorPtr error) {
        /* Errors are told to whoever asked, not to stderr. */
}

/* Nor should libxml2 speak of what libvirt reads. */
static void on_quiet_xml(void *userdata, const char *format, ...) {
}

static void *run_events(void *userdata) {
        while (!events_stop)
                (void) virEventRunDefaultImpl();
        return NULL;
}

static void on_wake(int timer, void *userdata) {
}

int libvirt_events_start(void) {
        int r;

        if (events_running)
                return 0;
        if (virInitialize() < 0)
                return -EIO;
        virSetErrorFunc(NULL, on_quiet_error);
        xmlSetGenericErrorFunc(NULL, on_quiet_xml);
        (void) xmlThrDefSetGenericErrorFunc(NULL, on_quiet_xml);
        if (virEventRegisterDefaultImpl() < 0)
                return -EIO;
        events_stop = false;
        r = -pthread_create(&events_thread, NULL, run_events, NULL);
        events_running = r >= 0;
        return r;
}

void libvirt_events_stop(void) {
        int timer;

        if (!events_running)
                return;
        events_stop = true;
        timer = virEventAddTimeout(0, on_wake, NULL, NULL);
        (void) pthread_join(events_thread, NULL);
        if (timer >= 0)
                (void) virEventRemoveTimeout(timer);
        events_running = false;
}

/* --- errors ---------------------------------------------------------------------------------------- */

static bool quotes_a_file(const virError *e) {
        static const int codes[] = { VIR_ERR_XML_ERROR, VIR_ERR_XML_DETAIL, VIR_ERR_XML_INVALID_SCHEMA,
                VIR_ERR_CONF_SYNTAX, VIR_ERR_PARSE_FAILED, VIR_ERR_SEXPR_SERIAL };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                if (e->code == codes[i])
                        return true;
        return e->domain == VIR_FROM_XML || e->domain == VIR_FROM_CONF;
}

int libvirt_error(char **ret_error) {
        static const struct {
                int code, error;
        } codes[] = {
                { VIR_ERR_NO_DOMAIN, ENODEV },
                { VIR_ERR_OPERATION_INVALID, EBADFD },
                { VIR_ERR_NO_CONNECT, EINVAL },
                { VIR_ERR_INVALID_ARG, EINVAL },
                { VIR_ERR_CONFIG_UNSUPPORTED, EINVAL },
                { VIR_ERR_AUTH_FAILED, EACCES },
                { VIR_ERR_AUTH_CANCELLED, EACCES },
                { VIR_ERR_AUTH_UNAVAILABLE, EACCES },
                { VIR_ERR_OPERATION_DENIED, EACCES },
                { VIR_ERR_ACCESS_DENIED, EACCES },
                { VIR_ERR_NO_SUPPORT, EOPNOTSUPP },
                { VIR_ERR_OPERATION_UNSUPPORTED, EOPNOTSUPP },
                { VIR_ERR_NO_MEMORY, ENOMEM },
                { VIR_ERR_INVALID_CONN, ENOLINK },
        };
        const virError *e = virGetLastError();
        const char *text = e && e->message ? e->message : "libvirt does not say why";

        /* These quote the line that is wrong, of whatever file it is. */
        if (e && quotes_a_file(e))
                text = "libvirt found XML that is malformed, or not what it should be";

        *ret_error = utf8_make_valid(text, strlen(text), ERROR_TEXT_MAX);
        if (*ret_error)
                ascii_replace_control(*ret_error, ' ');
        for (size_t i = 0; e && i < ELEMENTSOF(codes); i++)
                if (e->code == codes[i].code)
                        return -codes[i].error;
        return -EREMOTEIO;
}

static int lookup(virConnectPtr connection, const char *uuid, virDomainPtr *ret, char **ret_error) {
        virDomainPtr domain = connection ? virDomainLookupByUUIDString(connection, uuid) : NULL;

        if (!connection)
                return -ENOLINK;
        if (!domain)
                return libvirt_error(ret_error);
        *ret = domain;
        return 0;
}

/* --- the host -------------------------------------------------------------------------------------- */

void host_facts_done(HostFacts *f) {
        free(f->hostname);
        *f = (HostFacts){};
}

/* What is neither free nor could be made so at once. Drivers that cannot tell leave it at 0. */
static uint64_t memory_used(virConnectPtr connection, uint64_t total) {
        virNodeMemoryStats stats[16];
        int n = ELEMENTSOF(stats);
        uint64_t unused = 0;

        if (virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &n, 0) < 0) {
                unused = virNodeGetFreeMemory(connection);
                return unused > 0 && unused < total ? total - unused : 0;
        }
        for (int i = 0; i < n; i++)
                if (streq(stats[i].field, VIR_NODE_MEMORY_STATS_FREE) ||
                                streq(stats[i].field, VIR_NODE_MEMORY_STATS_BUFFERS) ||
                                streq(stats[i].field, VIR_NODE_MEMORY_STATS_CACHED))
                        unused += stats[i].value * 1024;
        return unused < total ? total - unused : 0;
}

int libvirt_facts(virConnectPtr connection, HostFacts *ret, char **ret_error) {
        virNodeInfo info;
        char *name;

        if (!connection)
                return -ENOLINK;
        if (virNodeGetInfo(connection, &info) < 0)
                return libvirt_error(ret_error);
        name = virConnectGetHostname(connection);
        HostFacts f = {
                .hostname = name ? utf8_make_valid(name, strlen(name), 256) : strdup(""),
                .cpu = info.cpus,
                .cores = info.cores,
                .threads = info.threads,
                .memory = (uint64_t) info.memory * 1024,
        };
        free(name);
        if (!f.hostname)
                return -ENOMEM;
        f.memory_used = memory_used(connection, f.memory);
        *ret = f;
        return 0;
}

int libvirt_list(virConnectPtr connection, char ***ret, char **ret_error) {
        _cleanup_strv_free_ char **uuids = new0(char *, 1);
        virDomainPtr *domains = NULL;
        int n, r = uuids ? 0 : -ENOMEM;
        size_t filled = 0;

        if (r < 0)
                return r;
        if (!connection)
                return -ENOLINK;
        n = virConnectListAllDomains(connection, &domains, 0);
        if (n < 0)
                return libvirt_error(ret_error);
        free(TAKE_PTR(uuids));
        uuids = new0(char *, (size_t) n + 1);
        for (int i = 0; i < n; i++) {
                char uuid[VIR_UUID_STRING_BUFLEN];

                if (uuids && r >= 0 && virDomainGetUUIDString(domains[i], uuid) == 0) {
                        uuids[filled] = strdup(uuid);
                        r = uuids[filled++] ? 0 : -ENOMEM;
                }
                (void) virDomainFree(domains[i]);
        }
        free(domains);
        if (r < 0 || !uuids)
                return -ENOMEM;
        *ret = TAKE_PTR(uuids);
        return 0;
}

/* --- a VM ------------------------------------------------------------------------------------------ */

static int get_xml(virDomainPtr domain, char **ret, char **ret_error) {
        char *xml = virDomainGetXMLDesc(domain, 0);

        if (!xml)
                return libvirt_error(ret_error);
        *ret = xml;
        return 0;
}

int libvirt_xml(virConnectPtr connection, const char *uuid, char **ret, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        int r = lookup(connection, uuid, &domain, ret_error);

        return r < 0 ? r : get_xml(domain, ret, ret_error);
}

int libvirt_describe(virConnectPtr connection, const char *uuid, VmRow *ret, char **ret_error) {
        _cleanup_(domain_summary_done) DomainSummary summary = {};
        _cleanup_domain_ virDomainPtr domain = NULL;
        _cleanup_(vm_row_done) VmRow row = {};
        _cleanup_free_ char *xml = NULL;
        const char *name;
        virDomainInfo info;
        int r = lookup(connection, uuid, &domain, ret_error);

        if (r < 0)
                return r;
        if (virDomainGetInfo(domain, &info) < 0)
                return libvirt_error(ret_error);
        r = get_xml(domain, &xml, ret_error);
        if (r < 0)
                return r;
        /* A description that cannot be read says nothing about the rest. */
        r = domain_xml_summary(xml, strlen(xml), &summary);
        if (r == -ENOMEM)
                return r;
        name = virDomainGetName(domain);
        row.uuid = strdup(uuid);
        row.name = utf8_make_valid(strempty(name), strlen(strempty(name)), 4096);
        row.description = strdup(strempty(summary.description));
        if (!row.uuid || !row.name || !row.description)
                return -ENOMEM;
        row.state = info.state;
        row.vcpu_count = info.nrVirtCpu;
        row.memory_bytes = (uint64_t) info.maxMem * 1024;
        row.vnc = summary.vnc;
        row.spice = summary.spice;
        row.persistent = virDomainIsPersistent(domain) == 1;
        *ret = row;
        row = (VmRow){};
        return 0;
}

/* --- actions --------------------------------------------------------------------------------------- */

static int do_shutdown(virDomainPtr d) {
        return virDomainShutdown(d);
}

static int do_reboot(virDomainPtr d) {
        return virDomainReboot(d, 0);
}

static int do_reset(virDomainPtr d) {
        return virDomainReset(d, 0);
}

static const struct {
        const char *name;
        int (*act)(virDomainPtr domain);
        bool wants_active;
} actions[] = {
        [VM_START] = { "start", virDomainCreate, false },
        [VM_SHUTDOWN] = { "shutdown", do_shutdown, true },
        [VM_REBOOT] = { "reboot", do_reboot, true },
        [VM_DESTROY] = { "destroy", virDomainDestroy, true },
        [VM_RESET] = { "reset", do_reset, true },
};

const char *vm_action_to_string(VmAction a) {
        return a >= 0 && a < _VM_ACTION_MAX ? actions[a].name : NULL;
}

VmAction vm_action_from_string(const char *s) {
        for (VmAction a = 0; a < _VM_ACTION_MAX; a++)
                if (streq_ptr(s, actions[a].name))
                        return a;
        return _VM_ACTION_INVALID;
}

int libvirt_act(virConnectPtr connection, const char *uuid, VmAction action, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        int active, r = lookup(connection, uuid, &domain, ret_error);

        if (r < 0)
                return r;
        /* Drivers differ in what they call it. */
        active = virDomainIsActive(domain);
        if (active < 0)
                return libvirt_error(ret_error);
        if (active != actions[action].wants_active) {
                *ret_error = strdup(active ? "it is running already" : "it is not running");
                return -EBADFD;
        }
        return actions[action].act(domain) < 0 ? libvirt_error(ret_error) : 0;
}
