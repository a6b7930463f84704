/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-deploy.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "hosts/domain-capabilities.h"
#include "hosts/domain-devices.h"
#include "hosts/domain-extended.h"
#include "hosts/libvirt-define.h"
#include "hosts/libvirt-domain.h"
#include "hosts/libvirt-error.h"
#include "hosts/libvirt-lists.h"

void deployed_vm_done(DeployedVm *vm) {
        free(vm->uuid);
        free(vm->mac);
        *vm = (DeployedVm){};
}

static int refuse(int error, char *text, char **ret_error) {
        *ret_error = text;
        return text ? error : -ENOMEM;
}

/* --- before it is defined -------------------------------------------------------------------------- */

static int check_items(const HostItems *items, const KvmDomain *d, char **ret_error) {
        for (size_t i = 0; i < items->n; i++)
                for (size_t k = 0; k < d->n_disks; k++)
                        if (streq_ptr(items->items[i].texts[DISK_PATH], d->disks[k].path))
                                return refuse(-EEXIST,
                                                strprintf("disk_path: the domain %s uses %s",
                                                                items->items[i].texts[DISK_VM_NAME],
                                                                d->disks[k].path),
                                                ret_error);
        return 0;
}

static int check_disks(virConnectPtr c, const KvmDomain *d, char **ret_error) {
        HostItems items = {};
        int r = libvirt_disks(c, &items, ret_error);

        if (r >= 0)
                r = check_items(&items, d, ret_error);
        host_items_done(&items);
        return r;
}

static int check(virConnectPtr c, const KvmDomain *d, char **ret_error) {
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        int r = libvirt_target(c, true, NULL, &t, ret_error);

        if (r >= 0)
                r = check_disks(c, d, ret_error);
        if (r < 0)
                return r;
        r = kvm_domain_check(d, t, ret_error);
        return r == -ENOENT || r == -EOPNOTSUPP ? -EINVAL : r;
}

/* --- afterwards ------------------------------------------------------------------------------------ */

static int read_port(const char *xml, unsigned *ret) {
        json_t *all;
        const char *port;
        int r = domain_xml_extended(xml, strlen(xml), &all);

        if (r < 0)
                return r;
        port = json_string_value(json_object_get(json_object_get(all, "vm_info"), "graphics_port"));
        if (!port || parse_unsigned(port, ret) < 0)
                *ret = 0; /* -1: it does not run */
        json_decref(all);
        return 0;
}

static int describe(virDomainPtr domain, DeployedVm *vm, char **ret_error) {
        _cleanup_free_ char *xml = virDomainGetXMLDesc(domain, 0);
        _cleanup_strv_free_ char **macs = NULL;
        int r;

        if (!xml)
                return libvirt_error(ret_error);
        r = domain_macs_read(xml, strlen(xml), &macs);
        if (r >= 0 && macs && !(vm->mac = strdup(macs[0])))
                return -ENOMEM;
        return r < 0 ? r : read_port(xml, &vm->vnc_port);
}

static int start(virConnectPtr c, virDomainPtr domain, char **ret_error) {
        if (virDomainCreate(domain) >= 0)
                return 0;
        int r = libvirt_words(c, ret_error);
        return r < 0 ? r : -EREMOTEIO;
}

static int define(virConnectPtr c, const KvmDomain *d, char **ret_uuid, char **ret_error) {
        _cleanup_kvm_outcome_ KvmOutcome *o = NULL;
        KvmDomain only = *d;
        int r;

        only.start = false;
        const DefineRequest q = { .domain = &only, .local = true };
        r = libvirt_define(c, &q, &o, ret_error);
        if (r < 0)
                return r;
        if (!o->uuid)
                return refuse(-EREMOTEIO, strdup(strna(o->error)), ret_error);
        *ret_uuid = TAKE_PTR(o->uuid);
        return 0;
}

int libvirt_deploy(virConnectPtr connection, const KvmDomain *d, bool autostart, DeployedVm *ret,
                char **ret_error) {
        _cleanup_(deployed_vm_done) DeployedVm vm = {};
        _cleanup_domain_ virDomainPtr domain = NULL;
        int r = check(connection, d, ret_error);

        if (r >= 0)
                r = define(connection, d, &vm.uuid, ret_error);
        if (r < 0)
                return r;
        domain = virDomainLookupByUUIDString(connection, vm.uuid);
        if (!domain)
                return libvirt_error(ret_error);
        if (autostart && virDomainSetAutostart(domain, 1) < 0)
                r = libvirt_error(ret_error);
        if (r >= 0 && d->start)
                r = start(connection, domain, ret_error);
        if (r < 0) {
                (void) virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_NVRAM);
                return r;
        }
        vm.running = d->start;
        r = describe(domain, &vm, ret_error);
        if (r < 0)
                return r;
        *ret = vm;
        vm = (DeployedVm){};
        return 0;
}
