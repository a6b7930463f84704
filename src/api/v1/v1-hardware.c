/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-hardware.h"

#include "api/bus-client.h"
#include "api/hosts/hosts-client.h"
#include "api/v1/v1-vm-detail.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "json/json-table.h"

void v1_vms_request_done(V1VmsRequest *q) {
        v1_gather_done(&q->gather);
        json_decref(q->vms);
        strv_free(q->warnings);
}

static const char *text_of(const json_t *o, const char *key) {
        return strempty(json_string_value(json_object_get(o, key)));
}

static bool is_of(const json_t *vm, const V1Provider *p) {
        return streq(text_of(vm, "provider_id"), p->id) &&
                        streq(text_of(vm, "provider"), v1_provider_type_to_string(p->type));
}

static json_t *find_vm(const V1VmsRequest *q, const V1Provider *p, const char *id) {
        json_t *vm;
        size_t i;

        json_array_foreach(q->vms, i, vm)
                if (is_of(vm, p) && streq(text_of(vm, "id"), id))
                        return vm;
        return NULL;
}

static V1Provider *provider_of(const V1VmsRequest *q, const json_t *vm) {
        for (size_t i = 0; i < q->gather.n; i++)
                if (is_of(vm, q->gather.providers[i]))
                        return q->gather.providers[i];
        return NULL;
}

static int finish_one(Request *r, V1VmsRequest *q) {
        return --q->n_out == 0 ? q->done(r) : 0;
}

static int fail_one(Request *r, const V1Provider *p, const sd_bus_error *error) {
        V1VmsRequest *q = request_userdata(r);
        int k = strv_extendf(&q->warnings, "%s: the hardware of its VMs could not be read: %s", p->id,
                        strempty(error->message));

        return k < 0 ? k : finish_one(r, q);
}

static int call(Request *r, sd_bus_message *m, manager_reply_func func, size_t i) {
        V1VmsRequest *q = request_userdata(r);

        q->n_out++;
        return manager_call_within(r, m, V1_PROVIDER_TIMEOUT, func, SIZE_TO_PTR(i));
}

/* --- vSphere: one call for the VMs of a provider, or one for each --------------------------------- */

static int on_details(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1VmsRequest *q = request_userdata(r);
        V1Provider *p = q->gather.providers[PTR_TO_SIZE(userdata)];
        _cleanup_json_ json_t *list = NULL;
        const json_t *details;
        const char *text;
        size_t i;
        int k;

        if (error)
                return fail_one(r, p, error);
        k = sd_bus_message_read(m, "s", &text);
        list = k >= 0 ? json_loads(text, 0, NULL) : NULL;
        json_array_foreach(list, i, details) {
                json_t *vm = find_vm(q, p, text_of(details, "id"));

                if (vm && k >= 0)
                        k = v1_vm_add_vsphere(vm, details);
        }
        return k < 0 ? k : finish_one(r, q);
}

static int ask_details(Request *r, V1VmsRequest *q, size_t i) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = v1_source_call_new(r, "GetVMs", q->gather.providers[i]->id, &m);
        const json_t *vm;
        size_t n;

        if (k >= 0)
                k = sd_bus_message_open_container(m, 'a', "s");
        json_array_foreach(q->vms, n, vm)
                if (k >= 0 && is_of(vm, q->gather.providers[i]))
                        k = sd_bus_message_append(m, "s", text_of(vm, "id"));
        if (k >= 0)
                k = sd_bus_message_close_container(m);
        return k < 0 ? k : call(r, m, on_details, i);
}

static int on_all_details(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1VmsRequest *q = request_userdata(r);
        json_t *vm = json_array_get(q->vms, PTR_TO_SIZE(userdata));
        _cleanup_json_ json_t *details = NULL;
        const char *text;
        int k;

        if (error)
                return fail_one(r, provider_of(q, vm), error);
        k = sd_bus_message_read(m, "s", &text);
        details = k >= 0 ? json_loads(text, 0, NULL) : NULL;
        if (k >= 0)
                k = details ? v1_vm_add_vsphere_all(vm, details) : -EBADMSG;
        return k < 0 ? k : finish_one(r, q);
}

static int ask_all_details(Request *r, V1VmsRequest *q, size_t i) {
        const json_t *vm = json_array_get(q->vms, i);
        const char *path = text_of(vm, "path");
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = v1_source_call_new(r, "GetVM", text_of(vm, "provider_id"), &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", *path ? path : text_of(vm, "id"));
        return k < 0 ? k : call(r, m, on_all_details, i);
}

/* --- libvirt: two lists of a host, and the hardware of a VM --------------------------------------- */

static int on_disks(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1VmsRequest *q = request_userdata(r);
        V1Provider *p = q->gather.providers[PTR_TO_SIZE(userdata)];
        const char *uuid, *name;
        V1LibvirtDisk d;
        int k, ro, shared;

        if (error)
                return fail_one(r, p, error);
        k = sd_bus_message_enter_container(m, 'a', "(sssssssstbb)");
        while (k >= 0 &&
                        (k = sd_bus_message_read(m, "(sssssssstbb)", &uuid, &name, &d.target, &d.bus,
                                         &d.device, &d.type, &d.format, &d.path, &d.size, &ro, &shared)) >
                                        0) {
                json_t *vm = find_vm(q, p, uuid);

                d.read_only = ro;
                d.shareable = shared;
                if (vm)
                        k = v1_vm_add_libvirt_disk(vm, &d);
        }
        return k < 0 ? k : finish_one(r, q);
}

static int on_ports(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1VmsRequest *q = request_userdata(r);
        V1Provider *p = q->gather.providers[PTR_TO_SIZE(userdata)];
        const char *uuid, *name, *group, *target;
        uint64_t rx, tx;
        V1LibvirtPort d;
        int k;

        if (error)
                return fail_one(r, p, error);
        k = sd_bus_message_enter_container(m, 'a', "(ssssssssstt)");
        while (k >= 0 &&
                        (k = sd_bus_message_read(m, "(ssssssssstt)", &uuid, &name, &d.mac, &d.model, &d.type,
                                         &d.source, &group, &target, &d.link, &rx, &tx)) > 0) {
                json_t *vm = find_vm(q, p, uuid);

                if (vm)
                        k = v1_vm_add_libvirt_port(vm, &d);
        }
        return k < 0 ? k : finish_one(r, q);
}

static int ask_lists(Request *r, V1VmsRequest *q, size_t i) {
        static const struct {
                const char *member;
                manager_reply_func func;
        } lists[] = { { "ListDisks", on_disks }, { "ListPorts", on_ports } };
        int k = 0;

        for (size_t n = 0; n < ELEMENTSOF(lists) && k >= 0; n++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

                k = hosts_host_call_new(r, q->gather.providers[i]->host, lists[n].member, &m);
                if (k >= 0)
                        k = call(r, m, lists[n].func, i);
        }
        return k;
}

static int on_extended(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1VmsRequest *q = request_userdata(r);
        json_t *vm = json_array_get(q->vms, PTR_TO_SIZE(userdata));
        _cleanup_json_ json_t *extended = NULL;
        const char *text;
        int k;

        if (error)
                return fail_one(r, provider_of(q, vm), error);
        k = sd_bus_message_read(m, "s", &text);
        extended = k >= 0 ? json_loads(text, 0, NULL) : NULL;
        if (k >= 0)
                k = extended ? v1_vm_add_libvirt_all(vm, extended) : -EBADMSG;
        return k < 0 ? k : finish_one(r, q);
}

/* They are null if they cannot be listed. */
static int on_snapshots(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1VmsRequest *q = request_userdata(r);
        _cleanup_json_ json_t *list = NULL;
        const char *text;
        int k = error ? 0 : sd_bus_message_read(m, "s", &text);

        list = !error && k >= 0 ? json_loads(text, 0, NULL) : NULL;
        if (list)
                k = v1_vm_add_libvirt_snapshots(json_array_get(q->vms, PTR_TO_SIZE(userdata)), list);
        return k < 0 ? k : finish_one(r, q);
}

static int on_vm_found(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1VmsRequest *q = request_userdata(r);
        size_t i = PTR_TO_SIZE(userdata);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *next = NULL, *snapshots = NULL;
        const char *path, *uuid;
        int k;

        if (error)
                return fail_one(r, provider_of(q, json_array_get(q->vms, i)), error);
        k = sd_bus_message_read(m, "os", &path, &uuid);
        if (k >= 0)
                k = hosts_call_new(r, path, HYPER_HOSTS_VM_INTERFACE, "GetExtendedHardware", &next);
        if (k >= 0)
                k = hosts_call_new(r, path, HYPER_HOSTS_VM_INTERFACE, "ListSnapshots", &snapshots);
        if (k >= 0)
                k = call(r, next, on_extended, i);
        if (k >= 0)
                k = call(r, snapshots, on_snapshots, i);
        return k < 0 ? k : finish_one(r, q);
}

static int ask_extended(Request *r, V1VmsRequest *q, const V1Provider *p, size_t i) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "GetVm", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "ss", p->host, text_of(json_array_get(q->vms, i), "id"));
        return k < 0 ? k : call(r, m, on_vm_found, i);
}

/* --- all ------------------------------------------------------------------------------------------- */

static bool has_vms(const V1VmsRequest *q, const V1Provider *p) {
        const json_t *vm;
        size_t i;

        json_array_foreach(q->vms, i, vm)
                if (is_of(vm, p))
                        return true;
        return false;
}

static int ask_providers(Request *r, V1VmsRequest *q) {
        int k = 0;

        for (size_t i = 0; i < q->gather.n && k >= 0; i++) {
                V1Provider *p = q->gather.providers[i];

                if (!p->connected || !has_vms(q, p))
                        continue;
                if (p->type == V1_PROVIDER_LIBVIRT && p->host)
                        k = ask_lists(r, q, i);
                else if (p->type == V1_PROVIDER_VSPHERE && !q->all)
                        k = ask_details(r, q, i);
        }
        return k;
}

static int ask_vms(Request *r, V1VmsRequest *q) {
        const json_t *vm;
        int k = 0;
        size_t i;

        json_array_foreach(q->vms, i, vm) {
                const V1Provider *p = provider_of(q, vm);

                if (k < 0 || !p || !p->connected)
                        continue;
                if (p->type == V1_PROVIDER_VSPHERE)
                        k = ask_all_details(r, q, i);
                else if (p->host)
                        k = ask_extended(r, q, p, i);
        }
        return k;
}

int v1_hardware_read(Request *r, int (*done)(Request *r)) {
        V1VmsRequest *q = request_userdata(r);
        int k;

        q->done = done;
        /* One more, so that it does not end before all are asked. */
        q->n_out = 1;
        k = ask_providers(r, q);
        if (k >= 0 && q->all)
                k = ask_vms(r, q);
        return k < 0 ? k : finish_one(r, q);
}
