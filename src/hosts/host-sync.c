/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-sync.h"

/* The cache of a host's VMs follows libvirt: all are listed when the connection is made, and then each is
 * looked at again when an event names it. A VM takes some calls, so they are looked at in batches, and a
 * host with thousands of them, or a slow one, needs no longer timeout than any other. */

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/activity.h"
#include "hosts/bus-objects.h"
#include "hosts/host-lost.h"
#include "hosts/hosts.h"
#include "hosts/libvirt-domain.h"
#include "hosts/stats.h"

#define BATCH 32

static void look_on(Host *h);

/* After a timeout the task's own text belongs to the thread. */
static const char *task_error(const Task *t, int r) {
        if (r == -ETIMEDOUT)
                return "the host did not answer in time";
        return isempty(t->error) ? strerror(-r) : t->error;
}

typedef struct SyncTask {
        Task task;
        Host *host; /* the loop's */
        bool list;
        char **uuids; /* to be described; or those that were listed */
        VmRow *rows; /* those that are there */
        size_t n_rows;
        char **gone; /* those that are not */
} SyncTask;

static void free_sync(Task *t) {
        SyncTask *s = CONTAINER_OF(t, SyncTask, task);

        for (size_t i = 0; i < s->n_rows; i++)
                vm_row_done(s->rows + i);
        free(s->rows);
        strv_free(s->uuids);
        strv_free(s->gone);
        free(s);
}

static int run_list(Task *t, HostThread *w, virConnectPtr *connection) {
        SyncTask *s = CONTAINER_OF(t, SyncTask, task);

        return libvirt_list(*connection, &s->uuids, &t->error);
}

static int run_describe(Task *t, HostThread *w, virConnectPtr *connection) {
        SyncTask *s = CONTAINER_OF(t, SyncTask, task);

        s->rows = new0(VmRow, strv_length(s->uuids) + 1);
        if (!s->rows)
                return -ENOMEM;
        STRV_FOREACH(uuid, s->uuids) {
                int r = libvirt_describe(*connection, *uuid, s->rows + s->n_rows, &t->error);

                if (r >= 0)
                        s->n_rows++;
                else if (r == -ENODEV)
                        r = strv_extend(&s->gone, *uuid);
                /* One VM that libvirt cannot describe does not affect the others, a broken connection
                 * does. */
                else if (r != -ENOMEM && virConnectIsAlive(*connection) == 1)
                        r = 0;
                if (r < 0)
                        return r;
                t->error = mfree(t->error);
        }
        return 0;
}

/* --- into the cache -------------------------------------------------------------------------------- */

static int add_vm(Host *h, VmRow *row, Vm **ret) {
        Vm *vm = new0(Vm, 1);

        if (!vm)
                return -ENOMEM;
        vm->host = h;
        vm->row = *row;
        vm->round = h->round;
        *row = (VmRow){};
        HASH_ADD_KEYPTR(hh, h->vms, vm->row.uuid, strlen(vm->row.uuid), vm);
        *ret = vm;
        return 0;
}

static void remove_vm(Host *h, Vm *vm) {
        activity_note(h, vm, ACTIVITY_SYSTEM, "info", "was removed");
        vm_bus_added(vm, false);
        stats_vm_gone(vm);
        HASH_DEL(h->vms, vm);
        vm_free(vm);
}

static bool rows_differ(const VmRow *a, const VmRow *b) {
        return !streq(a->name, b->name) || !streq(a->description, b->description) || a->state != b->state ||
                        a->vcpu_count != b->vcpu_count || a->memory_bytes != b->memory_bytes ||
                        a->vnc != b->vnc || a->spice != b->spice || a->persistent != b->persistent ||
                        !streq(a->cpu_model, b->cpu_model) || !streq(a->os_type, b->os_type) ||
                        a->disk_bytes != b->disk_bytes || !streq(a->cpu_topology, b->cpu_topology) ||
                        !streq(a->drift, b->drift) || !streq(a->concerns, b->concerns);
}

/* Out of @row into a VM that there is; true if that changed it. */
static bool update_vm(Vm *vm, VmRow *row) {
        if (row->state == VIR_DOMAIN_SHUTOFF)
                vm->started = 0;
        else if (row->state == VIR_DOMAIN_RUNNING && !vm_is_active(vm))
                vm->started = now_monotonic();
        if (!rows_differ(&vm->row, row)) {
                /* They are not in the database. */
                char **macs = vm->row.macs;
                vm->row.macs = row->macs;
                row->macs = macs;
                return false;
        }
        row->seq = vm->row.seq;
        row->created_at = vm->row.created_at;
        /* The key of the hash stays where it is. */
        free(row->uuid);
        row->uuid = TAKE_PTR(vm->row.uuid);
        vm_row_done(&vm->row);
        vm->row = *row;
        *row = (VmRow){};
        return true;
}

typedef struct Change {
        Vm *vm;
        bool is_new, was_active;
        int state; /* before */
} Change;

/* One transaction, before the signals are emitted. */
static void write_changes(Host *h, const Change *changes, size_t n, char *const *gone) {
        _cleanup_free_ VmRow **rows = new0(VmRow *, n + 1);
        int r;

        if (!rows) {
                log_oom();
                return;
        }
        for (size_t i = 0; i < n; i++)
                rows[i] = &changes[i].vm->row;
        r = store_vms_put(h->hosts->store, h->row.id, rows, n, gone);
        if (r < 0)
                log_warning_errno(r, "Failed to write the VMs of host %s to the database: %s", h->row.id,
                                store_error_text(h->hosts->store));
}

static void tell_change(const Change *c) {
        const char *state = vm_state_to_string(c->vm->row.state);

        if (c->is_new) {
                vm_bus_added(c->vm, true);
                stats_vm_appeared(c->vm);
                activity_note(c->vm->host, c->vm, ACTIVITY_SYSTEM, "info", "was added");
                return;
        }
        vm_bus_changed(c->vm);
        stats_vm_changed(c->vm, c->was_active);
        if (!streq(state, vm_state_to_string(c->state)))
                activity_note(c->vm->host, c->vm, ACTIVITY_VM_STATE,
                                streq(state, "ERROR") ? "error" : "info", state);
}

void host_take_vms(Host *h, VmRow *rows, size_t n, char *const *gone) {
        _cleanup_free_ Change *changes = new0(Change, n + 1);
        _cleanup_strv_free_ char **removed = NULL;
        size_t n_changes = 0;
        int r = changes ? 0 : -ENOMEM;

        STRV_FOREACH(uuid, gone) {
                if (r >= 0 && host_find_vm(h, *uuid))
                        r = strv_extend(&removed, *uuid);
        }
        for (size_t i = 0; i < n && r >= 0; i++) {
                Change *c = changes + n_changes;

                rows[i].updated_at = now_realtime();
                c->vm = host_find_vm(h, rows[i].uuid);
                c->is_new = !c->vm;
                c->was_active = c->vm && vm_is_active(c->vm);
                c->state = c->vm ? c->vm->row.state : -1;
                if (c->is_new)
                        r = add_vm(h, rows + i, &c->vm);
                if (r >= 0 && (c->is_new || update_vm(c->vm, rows + i)))
                        n_changes++;
        }
        if (r < 0) {
                log_oom();
                return;
        }
        /* A host that is being added has no object and no row yet. */
        if (h->adding || (n_changes == 0 && !removed))
                return;
        write_changes(h, changes, n_changes, removed);
        for (size_t i = 0; i < n_changes; i++)
                tell_change(changes + i);
        STRV_FOREACH(uuid, removed) {
                remove_vm(h, host_find_vm(h, *uuid));
        }
        host_bus_vms_changed(h);
}

int host_load_vms(Host *h) {
        _cleanup_(vm_rows_done) VmRows rows = {};
        int r = store_vms_list(h->hosts->store, h->row.id, &rows);
        Vm *vm;

        for (size_t i = 0; i < rows.n && r >= 0; i++)
                r = add_vm(h, rows.rows + i, &vm);
        return r;
}

/* --- adding: the first look is over ---------------------------------------------------------------- */

static int record_host(Host *h) {
        _cleanup_free_ VmRow **rows = new0(VmRow *, HASH_COUNT(h->vms) + 1);
        size_t n = 0;
        int r;

        if (!rows)
                return -ENOMEM;
        for (Vm *vm = h->vms; vm; vm = vm->hh.next)
                rows[n++] = &vm->row;
        r = store_host_insert(h->hosts->store, &h->row);
        if (r < 0)
                return r;
        r = store_vms_put(h->hosts->store, h->row.id, rows, n, NULL);
        if (r < 0)
                (void) store_host_delete(h->hosts->store, h->row.id);
        return r;
}

static void end_of_add(Host *h) {
        _cleanup_free_ char *path = host_bus_path(h->row.id);
        int r;

        h->row.state = HOST_CONNECTED;
        r = path ? record_host(h) : -ENOMEM;
        if (r < 0)
                return host_refuse(h, r == -ENOMEM ? "out of memory" : store_error_text(h->hosts->store));
        h->adding = false;
        log_info("Host %s was added.", h->row.id);
        host_bus_added(h, true);
        for (Vm *vm = h->vms; vm; vm = vm->hh.next) {
                vm_bus_added(vm, true);
                stats_vm_appeared(vm);
        }
        (void) sd_bus_reply_method_return(h->add_call, "so", h->row.id, path);
        h->add_call = sd_bus_message_unref(h->add_call);
        hosts_bus_changed(h->hosts);
        host_bus_connection_changed(h);
        activity_note(h, NULL, ACTIVITY_SYSTEM, "info", "was added");
}

/* --- the loop's side ------------------------------------------------------------------------------- */

static void done_list(Task *t, int r) {
        SyncTask *s = CONTAINER_OF(t, SyncTask, task);
        _cleanup_strv_free_ char **gone = NULL;
        Host *h = s->host;

        if (r == -ECANCELED)
                return;
        if (r < 0)
                return host_lost(h, HOST_DISCONNECTED, task_error(t, r));
        h->looking = false;
        h->round++;
        STRV_FOREACH(uuid, s->uuids) {
                Vm *vm = host_find_vm(h, *uuid);

                if (vm)
                        vm->round = h->round;
        }
        for (Vm *vm = h->vms; vm; vm = vm->hh.next)
                if (vm->round != h->round && strv_extend(&gone, vm->row.uuid) < 0)
                        log_oom();
        host_take_vms(h, NULL, 0, gone);
        strv_free(h->dirty);
        h->n_dirty = strv_length(s->uuids);
        h->dirty = TAKE_PTR(s->uuids);
        look_on(h);
}

static void done_describe(Task *t, int r) {
        SyncTask *s = CONTAINER_OF(t, SyncTask, task);
        Host *h = s->host;

        if (r == -ECANCELED)
                return;
        if (r < 0)
                return host_lost(h, HOST_DISCONNECTED, task_error(t, r));
        h->looking = false;
        host_take_vms(h, s->rows, s->n_rows, s->gone);
        look_on(h);
}

/* Takes the last of the dirty ones out of the list: as many as make a batch. */
static int take_batch(Host *h, char ***ret) {
        size_t n = MIN(h->n_dirty, (size_t) BATCH);
        char **batch = new0(char *, n + 1);

        if (!batch)
                return -ENOMEM;
        memcpy(batch, h->dirty + h->n_dirty - n, n * sizeof(char *));
        h->n_dirty -= n;
        h->dirty[h->n_dirty] = NULL;
        *ret = batch;
        return 0;
}

static int start_task(Host *h) {
        SyncTask *s = new0(SyncTask, 1);
        int r;

        if (!s)
                return -ENOMEM;
        s->host = h;
        s->list = h->list_wanted;
        s->task = s->list ? (Task){ .run = run_list, .done = done_list, .free = free_sync }
                          : (Task){ .run = run_describe, .done = done_describe, .free = free_sync };
        r = s->list ? 0 : take_batch(h, &s->uuids);
        if (r < 0) {
                free_sync(&s->task);
                return r;
        }
        h->list_wanted = false;
        h->looking = true;
        return host_thread_run(h->thread, &s->task, h->hosts->settings->hosts.call_timeout);
}

static void look_on(Host *h) {
        int r;

        if (h->looking || !h->thread)
                return;
        if (h->n_dirty == 0 && !h->list_wanted) {
                if (h->adding)
                        end_of_add(h);
                return;
        }
        r = start_task(h);
        if (r < 0) {
                /* Its thread has more to do than it can, or there is no memory: what is left is done
                 * later. */
                h->looking = false;
                host_lost(h, HOST_DISCONNECTED, strerror(-r));
        }
}

void host_look_at_all(Host *h) {
        h->list_wanted = true;
        look_on(h);
}

void host_look_at(Host *h, const char *uuid) {
        if (!strv_contains(h->dirty, uuid)) {
                if (strv_extend(&h->dirty, uuid) < 0) {
                        log_oom();
                        return;
                }
                h->n_dirty++;
        }
        look_on(h);
}
