/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/vm.h"

#include "basic/string-util.h"
#include "vsphere/inventory-name.h"
#include "vsphere/task.h"
#include "vsphere/tree.h"
#include "vsphere/vm-devices.h"

#define POWER_TIMEOUT (5 * USEC_PER_MINUTE)
#define RECONFIGURE_TIMEOUT (5 * USEC_PER_MINUTE)
#define POLL_MIN (20 * USEC_PER_MSEC)
#define POLL_MAX USEC_PER_SEC

/* --- its hardware ---------------------------------------------------------------------------------- */

static const struct {
        const char *property;
        size_t offset;
} strings[] = {
        { "config.firmware", offsetof(VmDetail, firmware) },
        { "config.version", offsetof(VmDetail, hardware_version) },
        { "config.annotation", offsetof(VmDetail, annotation) },
        { "config.modified", offsetof(VmDetail, modified) },
};

static const struct {
        const char *property;
        size_t offset;
} flags[] = {
        { "config.bootOptions.efiSecureBootEnabled", offsetof(VmDetail, secure_boot) },
        { "config.changeTrackingEnabled", offsetof(VmDetail, change_tracking) },
        { "capability.changeTrackingSupported", offsetof(VmDetail, change_tracking_supported) },
};

static const char *const others[] = {
        "config.hardware.device",
        "config.hardware.numCoresPerSocket",
        "config.keyId",
        "runtime.host",
        "snapshot",
};

/* All properties, NULL at the end. The array is the caller's to free, but not its strings. */
static char **list_properties(void) {
        size_t n = 0, max = ELEMENTSOF(strings) + ELEMENTSOF(flags) + ELEMENTSOF(others);

        for (const char *const *p = vm_summary_properties; *p; p++)
                max++;
        char **list = new0(char *, max + 1);
        if (!list)
                return NULL;
        for (const char *const *p = vm_summary_properties; *p; p++)
                list[n++] = (char *) *p;
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                list[n++] = (char *) strings[i].property;
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                list[n++] = (char *) flags[i].property;
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                list[n++] = (char *) others[i];
        return list;
}

/* The depth of documents is limited. */
static unsigned count_snapshots(const xmlNode *list, const char *element) {
        unsigned n = 0;

        NODE_FOREACH(i, list, element)
        n += 1 + count_snapshots(i, "childSnapshotList");
        return n;
}

static int add_snapshots(VmDetail *d, const xmlNode *list, const char *element, const char *current) {
        NODE_FOREACH(i, list, element) {
                if (d->n_listed == VM_SNAPSHOTS_MAX)
                        return 0;
                VmSnapshot *s = &d->snapshots[d->n_listed++];
                int r = node_dup(node_child(i, "snapshot"), &s->id);

                if (r >= 0)
                        r = node_dup(node_child(i, "name"), &s->name);
                if (r >= 0)
                        r = node_dup(node_child(i, "createTime"), &s->created);
                s->current = s->id && streq(s->id, current);
                if (r >= 0)
                        r = add_snapshots(d, i, "childSnapshotList", current);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int list_snapshots(VmDetail *d, const xmlNode *info) {
        if (d->n_snapshots == 0)
                return 0;
        d->snapshots = new0(VmSnapshot, MIN(d->n_snapshots, VM_SNAPSHOTS_MAX));
        return d->snapshots ? add_snapshots(d, info, "rootSnapshotList",
                                              strempty(node_text(node_child(info, "currentSnapshot"))))
                            : -ENOMEM;
}

int vm_detail_read(PropertyObject o, VmDetail *ret) {
        _cleanup_vm_detail_ VmDetail d = {};
        int r = vm_summary_read(o, &d.summary);

        for (size_t i = 0; i < ELEMENTSOF(strings) && r >= 0; i++)
                r = node_dup(property_value(o, strings[i].property),
                                (char **) ((char *) &d + strings[i].offset));
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                *(bool *) ((char *) &d + flags[i].offset) = node_bool(property_value(o, flags[i].property));
        d.cores_per_socket = (uint32_t) node_number(property_value(o, "config.hardware.numCoresPerSocket"));
        d.encrypted = property_value(o, "config.keyId") != NULL;
        d.has_snapshots = property_value(o, "snapshot") != NULL;
        d.n_snapshots = count_snapshots(property_value(o, "snapshot"), "rootSnapshotList");
        r = list_snapshots(&d, property_value(o, "snapshot"));
        if (r >= 0)
                r = vm_devices_read(property_value(o, "config.hardware.device"), &d);
        if (r < 0)
                return r;
        *ret = d;
        d = (VmDetail){};
        return 0;
}

static int read_host(Session *s, PropertyObject o, VmDetail *d) {
        const char *host = node_text(property_value(o, "runtime.host"));
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject h;
        int r = *host ? property_read(s, "HostSystem", host, PROPERTIES("name"), &answer, &h) : -ENOENT;

        /* Users may have no permission to see hosts. */
        if (r == -ENOENT || r == -EPERM)
                return 0;
        return r < 0 ? r : node_dup(property_value(h, "name"), &d->host);
}

/* The name of a distributed port group, in place of its ID */
static int read_port_group(Session *s, VmNic *n) {
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;
        char *name = NULL;
        int r = property_read(s, "DistributedVirtualPortgroup", n->network, PROPERTIES("name"), &answer, &o);

        if (r == -ENOENT || r == -EPERM)
                return 0;
        if (r >= 0)
                r = node_dup(property_value(o, "name"), &name);
        if (r < 0 || !name)
                return r;
        free(n->network);
        n->network = name;
        return 0;
}

static int read_place(Session *s, PropertyObject o, VmDetail *d) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_free_ char *name = inventory_name_encode(d->summary.name);
        _cleanup_place_ TreePlace place = {};
        int r = name ? tree_load(s, &tree) : -ENOMEM;

        if (r < 0)
                return r;
        r = tree_find(tree, o, &place);
        if (r == -EBADMSG)
                return session_fail(s, r, NULL, "%s: the directories of the inventory are a circle",
                                soap_host(session_soap(s)));
        if (r < 0)
                return r;
        d->summary.path = strprintf("%s/%s", place.path, name);
        d->summary.datacenter = TAKE_PTR(place.datacenter);
        d->datacenter_path = TAKE_PTR(place.datacenter_path);
        return d->summary.path ? 0 : -ENOMEM;
}

int vm_read(Session *s, const char *id, VmDetail *ret) {
        _cleanup_vm_detail_ VmDetail d = {};
        _cleanup_free_ char **properties = list_properties();
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;
        int r = properties ? property_read(s, "VirtualMachine", id, properties, &answer, &o) : -ENOMEM;

        if (r < 0)
                return r;
        r = vm_detail_read(o, &d);
        if (r == -EFBIG)
                return vm_devices_fail(s, id);
        if (r == -EBADMSG)
                return session_fail(s, -ENOENT, NULL, "%s: the virtual machine %s has no name",
                                soap_host(session_soap(s)), id);
        if (r >= 0)
                r = read_place(s, o, &d);
        if (r >= 0)
                r = read_host(s, o, &d);
        for (size_t i = 0; i < d.n_nics && r >= 0; i++)
                if (d.nics[i].is_port_group)
                        r = read_port_group(s, &d.nics[i]);
        if (r < 0)
                return r;
        *ret = d;
        d = (VmDetail){};
        return 0;
}

/* --- several --------------------------------------------------------------------------------------- */

typedef struct ReadMany {
        Session *session;
        vm_detail_func func;
        void *userdata;
} ReadMany;

static int take_vm(PropertyObject o, void *userdata) {
        _cleanup_vm_detail_ VmDetail d = {};
        const ReadMany *m = userdata;
        int r = vm_detail_read(o, &d);

        /* One without a name is being created, or the user may not see it. */
        if (r == -EBADMSG)
                return 0;
        if (r == -EFBIG)
                return vm_devices_fail(m->session, property_object_id(o));
        for (size_t i = 0; i < d.n_nics && r >= 0; i++)
                if (d.nics[i].is_port_group)
                        r = read_port_group(m->session, &d.nics[i]);
        return r < 0 ? r : m->func(&d, m->userdata);
}

int vm_read_many(Session *s, char *const *ids, vm_detail_func func, void *userdata) {
        ReadMany m = { .session = s, .func = func, .userdata = userdata };
        _cleanup_free_ char **properties = list_properties();

        if (!properties)
                return -ENOMEM;
        return property_read_many(s, "VirtualMachine", ids, properties, take_vm, &m);
}

/* --- its power ------------------------------------------------------------------------------------- */

int vm_read_power(Session *s, const char *id, VmPower *ret) {
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;
        int r = property_read(s, "VirtualMachine", id, PROPERTIES("runtime.powerState"), &answer, &o);

        if (r < 0)
                return r;
        *ret = vm_power_from_string(node_text(property_value(o, "runtime.powerState")));
        return 0;
}

int vm_read_boot_time(Session *s, const char *id, char **ret) {
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;
        int r = property_read(s, "VirtualMachine", id, PROPERTIES("summary.runtime.bootTime"), &answer, &o);

        if (r < 0)
                return r;
        *ret = strdup(node_text(property_value(o, "summary.runtime.bootTime")));
        return *ret ? 0 : -ENOMEM;
}

/* True if that is its state, whatever a call has failed with: another client may have been faster. */
static bool is_now(Session *s, const char *id, VmPower power) {
        SoapError error = soap_take_error(session_soap(s));
        VmPower now;
        bool is = vm_read_power(s, id, &now) >= 0 && now == power;

        soap_put_error(session_soap(s), error);
        return is;
}

static int set_power(Session *s, const char *id, const char *method, VmPower power) {
        _cleanup_request_ SoapRequest *q = NULL;
        int r = soap_request_new(method, "VirtualMachine", id, &q);

        if (r >= 0)
                r = task_run(s, q, POWER_TIMEOUT, NULL, NULL, NULL);
        return r == -EBADFD && is_now(s, id, power) ? 0 : r;
}

int vm_power_on(Session *s, const char *id) {
        return set_power(s, id, "PowerOnVM_Task", VM_POWERED_ON);
}

int vm_power_off(Session *s, const char *id) {
        return set_power(s, id, "PowerOffVM_Task", VM_POWERED_OFF);
}

int vm_shutdown_guest(Session *s, const char *id) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};
        int r = soap_request_new("ShutdownGuest", "VirtualMachine", id, &q);

        if (r >= 0)
                r = session_call(s, q, &answer);
        return r == -EBADFD && is_now(s, id, VM_POWERED_OFF) ? 0 : r;
}

int vm_wait_power(Session *s, const char *id, VmPower power, usec_t timeout) {
        usec_t end = now_monotonic() + timeout, delay = POLL_MIN;
        VmPower now;

        for (;;) {
                int r = vm_read_power(s, id, &now);

                if (r < 0 || now == power)
                        return r;
                if (now_monotonic() >= end)
                        return session_fail(s, -ETIMEDOUT, NULL,
                                        "%s: the virtual machine %s is not %s in time",
                                        soap_host(session_soap(s)), id, vm_power_to_string(power));
                r = soap_sleep(session_soap(s), MIN(delay, timeout));
                if (r < 0)
                        return r;
                delay = MIN(2 * delay, POLL_MAX);
        }
}

/* --- its CD-ROM drives ----------------------------------------------------------------------------- */

static void put_removal(SoapRequest *q, const VmCdrom *c) {
        soap_request_open(q, "deviceChange", NULL);
        soap_request_text(q, "operation", "remove");
        soap_request_open(q, "device", "VirtualCdrom");
        soap_request_number(q, "key", c->key);
        soap_request_number(q, "controllerKey", c->controller);
        soap_request_number(q, "unitNumber", c->unit);
        soap_request_close(q);
        soap_request_close(q);
}

int vm_remove_cdroms(Session *s, const char *id, unsigned *ret_removed) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_vm_detail_ VmDetail d = {};
        int r = vm_devices_of(s, "VirtualMachine", id, &d);

        if (r >= 0)
                r = soap_request_new("ReconfigVM_Task", "VirtualMachine", id, &q);
        if (r < 0)
                return r;
        soap_request_open(q, "spec", NULL);
        for (size_t i = 0; i < d.n_cdroms; i++)
                put_removal(q, &d.cdroms[i]);
        soap_request_close(q);
        if (d.n_cdroms > 0)
                r = task_run(s, q, RECONFIGURE_TIMEOUT, NULL, NULL, NULL);
        if (r < 0)
                return r;
        *ret_removed = (unsigned) d.n_cdroms;
        return 0;
}
