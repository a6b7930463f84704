/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/vm-json.h"

#include "basic/string-util.h"
#include "vsphere/vm-concerns.h"
#include "json/json-table.h"

/* "DC/vm/dir/name": the API has paths without the first slash. */
static const char *shown_path(const char *path) {
        return path && path[0] == '/' ? path + 1 : path;
}

/* Adds all members of @from, which may be NULL when out of memory. */
static int add_all(json_t *to, json_t *from) {
        int r = to && from ? json_object_update(to, from) : -1;

        json_decref(from);
        return r < 0 ? -ENOMEM : 0;
}

static json_t *summary_json(const VmSummary *v) {
        _cleanup_json_ json_t *o = json_pack("{s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:s?, s:s?}", "name",
                        v->name, "path", shown_path(v->path), "id", v->id, "power_state",
                        v->power >= 0 ? vm_power_to_string(v->power) : NULL, "num_cpu", (json_int_t) v->cpus,
                        "memory_mb", (json_int_t) (v->memory >> 20), "storage", (json_int_t) v->storage,
                        "guest_os", v->guest_name, "ip_address", v->ip_address);
        json_t *more = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:b}", "uuid", v->uuid,
                        "instance_uuid", v->instance_uuid, "guest_id", v->guest_id, "datacenter",
                        v->datacenter, "host_name", v->host_name, "tools_status", v->tools_status,
                        "num_virtual_disks", (json_int_t) v->disks, "template", v->is_template);

        return add_all(o, more) < 0 ? NULL : TAKE_PTR(o);
}

/* Adds @concerns, which it takes. */
static json_t *with_concerns(json_t *o, json_t *concerns) {
        if (o && concerns && json_object_set(o, "concerns", concerns) < 0)
                o = (json_decref(o), NULL);
        json_decref(concerns);
        return o;
}

json_t *vm_summary_json(const VmSummary *v) {
        json_t *concerns;

        return vm_summary_concerns(v, &concerns) < 0 ? NULL : with_concerns(summary_json(v), concerns);
}

static const char *controller_type(const VmDetail *d, uint32_t key) {
        for (size_t i = 0; i < d->n_controllers; i++)
                if (d->controllers[i].key == key)
                        return d->controllers[i].type;
        return NULL;
}

static json_t *disk_json(const VmDetail *v, const VmDisk *d) {
        return json_pack("{s:s?, s:I, s:I, s:s?, s:I, s:s?, s:b, s:b, s:b, s:s?, s:I}", "label", d->label,
                        "capacity_kb", (json_int_t) (d->capacity >> 10), "capacity_bytes",
                        (json_int_t) d->capacity, "file_path", d->file, "key", (json_int_t) d->key, "mode",
                        d->mode, "thin_provisioned", d->thin, "rdm", d->rdm, "shared", d->shared,
                        "controller_type", controller_type(v, d->controller), "unit", (json_int_t) d->unit);
}

static json_t *nic_json(const VmNic *n) {
        return json_pack("{s:s?, s:s?, s:s?, s:s?, s:b}", "label", n->label, "type", n->type, "mac", n->mac,
                        "network", n->network, "connected", n->connected);
}

static json_t *cdrom_json(const VmCdrom *c) {
        return json_pack("{s:s?, s:s?, s:b}", "label", c->label, "file_path", c->file, "connected",
                        c->connected);
}

/* The devices as lists. */
static json_t *snapshots_json(const VmDetail *d) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < d->n_listed; i++) {
                const VmSnapshot *s = &d->snapshots[i];

                if (json_array_append_new(list,
                                    json_pack("{s:s?, s:s?, s:s?, s:b}", "id", s->id, "name", s->name,
                                                    "created_at", s->created, "current", s->current)) < 0)
                        return json_decref(list), NULL;
        }
        return list;
}

static json_t *controller_json(const VmController *c) {
        return json_pack("{s:s?, s:I, s:I}", "type", c->type, "key", (json_int_t) c->key, "bus",
                        (json_int_t) c->bus);
}

static json_t *devices_json(const VmDetail *d) {
        _cleanup_json_ json_t *o =
                        json_pack("{s:[], s:[], s:[], s:[]}", "controllers", "disks", "nics", "cdroms");
        int r = o ? 0 : -ENOMEM;

        for (size_t i = 0; i < d->n_controllers && r >= 0; i++)
                r = json_array_append_new(
                                json_object_get(o, "controllers"), controller_json(&d->controllers[i]));

        for (size_t i = 0; i < d->n_disks && r >= 0; i++)
                r = json_array_append_new(json_object_get(o, "disks"), disk_json(d, &d->disks[i]));
        for (size_t i = 0; i < d->n_nics && r >= 0; i++)
                r = json_array_append_new(json_object_get(o, "nics"), nic_json(&d->nics[i]));
        for (size_t i = 0; i < d->n_cdroms && r >= 0; i++)
                r = json_array_append_new(json_object_get(o, "cdroms"), cdrom_json(&d->cdroms[i]));
        return r < 0 ? NULL : TAKE_PTR(o);
}

json_t *vm_detail_json(const VmDetail *d) {
        const VmSummary *v = &d->summary;
        json_t *concerns;
        _cleanup_json_ json_t *o = summary_json(v);
        json_t *hardware = json_pack("{s:{s:I, s:I, s:I, s:I, s:s?, s:s?, s:b, s:b}}", "hardware", "num_cpu",
                        (json_int_t) v->cpus, "cores_per_socket", (json_int_t) d->cores_per_socket,
                        "memory_mb", (json_int_t) (v->memory >> 20), "num_virtual_disks",
                        (json_int_t) d->n_disks, "firmware", d->firmware, "version", d->hardware_version,
                        "secure_boot", d->secure_boot, "tpm", d->tpm);
        json_t *more = json_pack("{s:s?, s:s?, s:I, s:b, s:b, s:b, s:I, s:o}", "annotation", d->annotation,
                        "host", d->host, "num_virtual_disks", (json_int_t) d->n_disks, "has_snapshots",
                        d->has_snapshots, "change_tracking", d->change_tracking, "consolidation_needed",
                        d->summary.consolidation_needed, "snapshot_count", (json_int_t) d->n_snapshots,
                        "snapshots", snapshots_json(d));
        int r = add_all(o, hardware);
        int k = add_all(o, more);
        int m = add_all(o, devices_json(d));

        if (r < 0 || k < 0 || m < 0 || vm_concerns(d, &concerns) < 0)
                return NULL;
        return with_concerns(TAKE_PTR(o), concerns);
}
