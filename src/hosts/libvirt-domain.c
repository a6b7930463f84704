/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-domain.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/domain-drift.h"
#include "hosts/domain-inspect.h"
#include "hosts/domain-xml.h"
#include "hosts/libvirt-error.h"

/* Each disk is a call. */
#define DISKS_MAX 16u

int libvirt_lookup(virConnectPtr connection, const char *uuid, virDomainPtr *ret, char **ret_error) {
        virDomainPtr domain = connection ? virDomainLookupByUUIDString(connection, uuid) : NULL;

        if (!connection)
                return -ENOLINK;
        if (!domain)
                return libvirt_error(ret_error);
        *ret = domain;
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

int libvirt_domain_xml(virDomainPtr domain, char **ret, char **ret_error) {
        char *xml = virDomainGetXMLDesc(domain, 0);

        if (!xml)
                return libvirt_error(ret_error);
        *ret = xml;
        return 0;
}

int libvirt_xml(virConnectPtr connection, const char *uuid, char **ret, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        int r = libvirt_lookup(connection, uuid, &domain, ret_error);

        return r < 0 ? r : libvirt_domain_xml(domain, ret, ret_error);
}

/* 0: it cannot be asked for. */
static uint64_t size_of_disk(void *userdata, const char *target) {
        virDomainBlockInfo info;

        return virDomainGetBlockInfo(userdata, target, &info, 0) == 0 ? info.capacity : 0;
}

static DomainFacts facts_of(virDomainPtr domain) {
        return (DomainFacts){ .running = virDomainIsActive(domain) == 1,
                .suspended = virDomainHasManagedSaveImage(domain, 0) == 1 };
}

/* What the VM sees of its disks together. One that cannot be asked for counts as nothing: an answer without
 * it is better than none. */
static uint64_t disk_bytes(virDomainPtr domain, char *const *disks) {
        uint64_t sum = 0;
        unsigned n = 0;

        STRV_FOREACH(disk, disks) {
                uint64_t size;

                if (n++ >= DISKS_MAX)
                        break;
                size = size_of_disk(domain, *disk);
                if (size < INT64_MAX - sum)
                        sum += size;
        }
        return sum;
}

/* Of a VM that runs: what its next start would change. A description that is malformed, and one that libvirt
 * does not give, do not affect the rest. NULL without memory. */
static char *find_drift(virDomainPtr domain, const char *live, bool active) {
        _cleanup_free_ char *persistent =
                        active ? virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE) : NULL;
        char *drift = NULL;
        int r = persistent ? domain_xml_drift(live, strlen(live), persistent, strlen(persistent), &drift)
                           : 0;

        return drift || r == -ENOMEM ? drift : strdup("");
}

/* Of a VM whose description is malformed, nothing is known. NULL without memory. */
static char *find_concerns(virDomainPtr domain, const char *xml) {
        const DomainFacts facts = facts_of(domain);
        char *concerns = NULL;
        int r = domain_xml_concerns(xml, strlen(xml), &facts, &concerns);

        return concerns || r == -ENOMEM ? concerns : strdup("");
}

int libvirt_inspect(virConnectPtr connection, const char *uuid, const char *other_machine, json_t **ret,
                char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        _cleanup_free_ char *xml = NULL;
        DomainFacts facts;
        int snapshots, r = libvirt_lookup(connection, uuid, &domain, ret_error);

        if (r >= 0)
                r = libvirt_domain_xml(domain, &xml, ret_error);
        if (r < 0)
                return r;
        facts = facts_of(domain);
        snapshots = virDomainSnapshotNum(domain, 0); /* not each hypervisor has them */
        facts.snapshots = (unsigned) MAX(snapshots, 0);
        facts.other_machine = other_machine;
        facts.size_of = size_of_disk;
        facts.userdata = domain;
        r = domain_xml_inspect(xml, strlen(xml), &facts, ret);
        if (r == -EBADMSG)
                *ret_error = strdup("libvirt's description of it is malformed");
        return r;
}

int libvirt_describe(virConnectPtr connection, const char *uuid, VmRow *ret, char **ret_error) {
        _cleanup_(domain_summary_done) DomainSummary summary = {};
        _cleanup_domain_ virDomainPtr domain = NULL;
        _cleanup_(vm_row_done) VmRow row = {};
        _cleanup_free_ char *xml = NULL;
        const char *name;
        virDomainInfo info;
        int r = libvirt_lookup(connection, uuid, &domain, ret_error);

        if (r < 0)
                return r;
        if (virDomainGetInfo(domain, &info) < 0)
                return libvirt_error(ret_error);
        r = libvirt_domain_xml(domain, &xml, ret_error);
        if (r < 0)
                return r;
        /* A malformed description does not affect the rest. */
        r = domain_xml_summary(xml, strlen(xml), &summary);
        if (r == -ENOMEM)
                return r;
        name = virDomainGetName(domain);
        row.uuid = strdup(uuid);
        row.name = utf8_make_valid(strempty(name), strlen(strempty(name)), 4096);
        row.description = strdup(strempty(summary.description));
        row.persistent = virDomainIsPersistent(domain) == 1;
        row.drift = find_drift(domain, xml, row.persistent && virDomainIsActive(domain) == 1);
        row.concerns = find_concerns(domain, xml);
        row.cpu_model = strdup(strempty(summary.cpu_model));
        row.cpu_topology = strdup(strempty(summary.cpu_topology));
        row.os_type = strdup(strempty(summary.os_type));
        if (!row.uuid || !row.name || !row.description || !row.cpu_model || !row.os_type ||
                        !row.cpu_topology || !row.drift || !row.concerns)
                return -ENOMEM;
        row.state = info.state;
        row.vcpu_count = info.nrVirtCpu;
        row.memory_bytes = (uint64_t) info.maxMem * 1024;
        row.vnc = summary.vnc;
        row.spice = summary.spice;
        row.disk_bytes = disk_bytes(domain, summary.disks);
        row.macs = TAKE_PTR(summary.macs);
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

int libvirt_act(virConnectPtr connection, const char *uuid, VmAction action, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        int active, r = libvirt_lookup(connection, uuid, &domain, ret_error);

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
