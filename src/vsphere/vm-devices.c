/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/vm-devices.h"

#include "basic/string-util.h"
#include "vsphere/property.h"

#define LINKS_MAX 256U
/* More than four times what a VM can have */
#define DEVICES_MAX 2048U

typedef struct Room {
        size_t controllers, disks, nics, cdroms;
} Room;

static uint32_t number(const xmlNode *device, const char *name) {
        return (uint32_t) node_number(node_child(device, name));
}

static int read_controller(const xmlNode *device, const char *type, VmDetail *d, Room *room) {
        VmController *c;

        if (!GREEDY_REALLOC(d->controllers, room->controllers, d->n_controllers + 1))
                return -ENOMEM;
        c = &d->controllers[d->n_controllers++];
        *c = (VmController){
                .key = number(device, "key"), .bus = number(device, "busNumber"), .type = strdup(type)
        };
        return c->type ? 0 : -ENOMEM;
}

/* --- disks ----------------------------------------------------------------------------------------- */

static uint64_t capacity_of(const xmlNode *device) {
        uint64_t bytes = node_number(node_child(device, "capacityInBytes"));
        uint64_t kilobytes = node_number(node_child(device, "capacityInKB"));

        /* Old hosts have kilobytes only. */
        return bytes > 0 ? bytes : kilobytes <= UINT64_MAX >> 10 ? kilobytes << 10 : 0;
}

/* A raw device mapping names a LUN, and has a mode of compatibility. */
static void read_mapping(const xmlNode *backing, VmDisk *v) {
        v->rdm = strstr(v->backing, "RawDiskMapping") || strstr(v->backing, "RawDiskVer2");
        v->rdm_physical = v->rdm && !node_is(node_child(backing, "compatibilityMode"), "virtualMode");
}

/* backing.parent.parent…: each snapshot adds a link in front. */
static int read_chain(const xmlNode *backing, VmDisk *v) {
        const xmlNode *base = backing;

        for (const xmlNode *n = backing; n && v->links < LINKS_MAX; n = node_child(n, "parent")) {
                base = n;
                v->links++;
        }
        return node_dup(node_child(base, "fileName"), &v->base_file);
}

static int read_backing(const xmlNode *backing, VmDisk *v) {
        int r;

        v->backing = strdup(node_type(backing));
        if (!v->backing)
                return -ENOMEM;
        v->thin = node_bool(node_child(backing, "thinProvisioned"));
        v->shared = node_is(node_child(backing, "sharing"), "sharingMultiWriter");
        read_mapping(backing, v);
        r = node_dup(node_child(backing, "fileName"), &v->file);
        if (r >= 0)
                r = node_dup(node_child(backing, "uuid"), &v->uuid);
        if (r >= 0)
                r = node_dup(node_child(backing, "contentId"), &v->content_id);
        if (r >= 0)
                r = node_dup(node_child(backing, "changeId"), &v->change_id);
        if (r >= 0)
                r = node_dup(node_child(backing, "diskMode"), &v->mode);
        return r < 0 ? r : read_chain(backing, v);
}

static int read_disk(const xmlNode *device, const char *type, VmDetail *d, Room *room) {
        VmDisk *v;
        int r;

        if (!GREEDY_REALLOC(d->disks, room->disks, d->n_disks + 1))
                return -ENOMEM;
        v = &d->disks[d->n_disks++];
        *v = (VmDisk){
                .key = number(device, "key"),
                .controller = number(device, "controllerKey"),
                .unit = number(device, "unitNumber"),
                .capacity = capacity_of(device),
        };
        r = node_dup(node_path(device, "deviceInfo/label"), &v->label);
        return r < 0 ? r : read_backing(node_child(device, "backing"), v);
}

/* --- others ---------------------------------------------------------------------------------------- */

/* A network of a host has a name; a port group of a distributed switch, and an opaque network, have an ID. */
static int read_network(const xmlNode *backing, VmNic *n) {
        const xmlNode *key = node_path(backing, "port/portgroupKey");
        int r = node_dup(node_child(backing, "deviceName"), &n->network);

        n->is_port_group = key && !n->network;
        if (r >= 0 && !n->network)
                r = node_dup(key ? key : node_child(backing, "opaqueNetworkId"), &n->network);
        return r;
}

static int read_nic(const xmlNode *device, const char *type, VmDetail *d, Room *room) {
        VmNic *n;
        int r;

        if (!GREEDY_REALLOC(d->nics, room->nics, d->n_nics + 1))
                return -ENOMEM;
        n = &d->nics[d->n_nics++];
        *n = (VmNic){
                .key = number(device, "key"),
                .type = strdup(type),
                .slot = (uint32_t) node_number(node_path(device, "slotInfo/pciSlotNumber")),
                .connected = node_bool(node_path(device, "connectable/startConnected")),
        };
        r = n->type ? node_dup(node_path(device, "deviceInfo/label"), &n->label) : -ENOMEM;
        if (r >= 0)
                r = node_dup(node_child(device, "macAddress"), &n->mac);
        return r < 0 ? r : read_network(node_child(device, "backing"), n);
}

static int read_cdrom(const xmlNode *device, const char *type, VmDetail *d, Room *room) {
        VmCdrom *c;
        int r;

        if (!GREEDY_REALLOC(d->cdroms, room->cdroms, d->n_cdroms + 1))
                return -ENOMEM;
        c = &d->cdroms[d->n_cdroms++];
        *c = (VmCdrom){
                .key = number(device, "key"),
                .controller = number(device, "controllerKey"),
                .unit = number(device, "unitNumber"),
                .connected = node_bool(node_path(device, "connectable/connected")),
        };
        r = node_dup(node_path(device, "deviceInfo/label"), &c->label);
        return r < 0 ? r : node_dup(node_path(device, "backing/fileName"), &c->file);
}

static int read_tpm(const xmlNode *device, const char *type, VmDetail *d, Room *room) {
        d->tpm = true;
        return 0;
}

/* A device of the host, or of the machine of a user. */
static int read_passthrough(const xmlNode *device, char ***list) {
        char *label = NULL;
        int r = node_dup(node_path(device, "deviceInfo/label"), &label);

        if (r >= 0 && !label)
                label = strdup("A device");
        return r < 0 ? r : label ? strv_consume(list, label) : -ENOMEM;
}

static int read_pci(const xmlNode *device, const char *type, VmDetail *d, Room *room) {
        return read_passthrough(device, &d->pci_devices);
}

static int read_usb(const xmlNode *device, const char *type, VmDetail *d, Room *room) {
        return read_passthrough(device, &d->usb_devices);
}

static int read_device(const xmlNode *device, VmDetail *d, Room *room) {
        static const struct {
                const char *type;
                int (*read)(const xmlNode *device, const char *type, VmDetail *d, Room *room);
        } table[] = {
                { "VirtualDisk", read_disk },
                { "VirtualCdrom", read_cdrom },
                { "VirtualTPM", read_tpm },
                { "VirtualPCIPassthrough", read_pci },
                { "VirtualUSB", read_usb },
        };
        const char *type = node_type(device);

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].type, type))
                        return table[i].read(device, type, d, room);
        /* There are many types of both, and new ones. */
        if (node_child(device, "macAddress"))
                return read_nic(device, type, d, room);
        return endswith(type, "Controller") ? read_controller(device, type, d, room) : 0;
}

int vm_devices_read(const xmlNode *array, VmDetail *d) {
        Room room = {};
        unsigned left = DEVICES_MAX;
        int r = 0;

        for (const xmlNode *n = array ? array->children : NULL; n && r >= 0; n = n->next)
                if (n->type == XML_ELEMENT_NODE)
                        r = left-- > 0 ? read_device(n, d, &room) : -EFBIG;
        return r;
}

int vm_devices_fail(Session *s, const char *id) {
        return session_fail(s, -EFBIG, NULL, "%s: %s has more devices than a virtual machine can have",
                        soap_host(session_soap(s)), id);
}

int vm_devices_of(Session *s, const char *type, const char *id, VmDetail *ret) {
        _cleanup_answer_ SoapAnswer answer = {};
        _cleanup_vm_detail_ VmDetail d = {};
        PropertyObject o;
        int r = property_read(s, type, id, PROPERTIES("config.hardware.device"), &answer, &o);

        if (r < 0)
                return r;
        r = vm_devices_read(property_value(o, "config.hardware.device"), &d);
        if (r < 0)
                return r == -EFBIG ? vm_devices_fail(s, id) : r;
        *ret = d;
        d = (VmDetail){};
        return 0;
}
