/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/hosts-list.h"

#include "basic/string-util.h"
#include "hosts/bus-objects.h"
#include "hosts/host-bus.h"
#include "hosts/host-walk.h"
#include "hosts/vm-bus.h"
#include "shared/error-table.h"
#include "shared/object-list.h"

/* So many are looked at in one step. */
#define STEP 100u
/* Objects are larger: so many are added in one step. */
#define OBJECTS_STEP 50u
#define LIST_LIMIT_MAX 1000u

/* --- methods of the manager ------------------------------------------------------------------------ */

typedef struct ListKind {
        const char *types;
        bool of_vms; /* and not of hosts */
        int (*append)(sd_bus_message *reply, const Host *h, const Vm *vm);
} ListKind;

typedef struct HostsList {
        StepReply reply;
        const ListKind *kind;
        HostWalk walk;
        sd_bus_message *message; /* the reply */
        uint64_t offset, limit; /* to be passed over, and then to be appended */
} HostsList;

static HostsList *list_of(StepReply *r) {
        return CONTAINER_OF(r, HostsList, reply);
}

static int step(StepReply *reply) {
        HostsList *l = list_of(reply);

        for (unsigned n = 0; n < STEP && l->limit > 0; n++) {
                Host *h;
                Vm *vm;
                int r = host_walk_next(&l->walk, &h, &vm);

                if (r <= 0)
                        return r;
                if (l->kind->of_vms != !!vm)
                        continue;
                if (l->offset > 0) {
                        l->offset--;
                        continue;
                }
                l->limit--;
                r = l->kind->append(l->message, h, vm);
                if (r < 0)
                        return r;
        }
        return l->limit > 0;
}

static int finish(StepReply *reply) {
        HostsList *l = list_of(reply);
        int r = sd_bus_message_close_container(l->message);

        return r < 0 ? r : sd_bus_send(NULL, l->message, NULL);
}

static void list_free(StepReply *reply) {
        HostsList *l = list_of(reply);

        host_walk_done(&l->walk);
        sd_bus_message_unref(l->message);
        free(l);
}

static const StepReplyType hosts_list = {
        .what = "hosts or VMs", .step = step, .finish = finish, .free = list_free
};

/* @total: how many there are, as the first argument of the reply; or NULL. */
static int list_start(Hosts *h, const ListKind *kind, const Host *only, const uint64_t *total,
                uint64_t offset, uint64_t limit, sd_bus_message *call) {
        HostsList *l = new0(HostsList, 1);
        int r;

        if (!l)
                return -ENOMEM;
        l->kind = kind;
        l->offset = offset;
        l->limit = limit;
        r = host_walk_begin(&l->walk, h, only);
        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &l->message);
        if (r >= 0 && total)
                r = sd_bus_message_append_basic(l->message, 't', total);
        if (r >= 0)
                r = sd_bus_message_open_container(l->message, 'a', kind->types);
        if (r >= 0)
                return step_reply_start(&l->reply, &hosts_list, &h->replies, call);
        list_free(&l->reply);
        return r;
}

static int append_host(sd_bus_message *reply, const Host *h, const Vm *vm) {
        _cleanup_free_ char *path = host_bus_path(h->row.id);

        if (!path)
                return -ENOMEM;
        return sd_bus_message_append(reply, "(sossssutt)", h->row.id, path, h->row.shown_uri, h->row.name,
                        host_state_to_string(h->row.state), h->row.error, (uint32_t) HASH_COUNT(h->vms),
                        (uint64_t) h->row.created_at, (uint64_t) h->row.updated_at);
}

int hosts_method_list_hosts(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        static const ListKind kind = { "(sossssutt)", false, append_host };

        return list_start(userdata, &kind, NULL, NULL, 0, UINT64_MAX, message);
}

static int append_vm(sd_bus_message *reply, const Host *h, const Vm *vm) {
        _cleanup_free_ char *path = vm_bus_path(vm);

        if (!path)
                return -ENOMEM;
        return sd_bus_message_append(reply, "(sossssuts)", h->row.id, path, vm->row.uuid, vm->row.name,
                        vm->row.description, vm_state_to_string(vm->row.state),
                        (uint32_t) vm->row.vcpu_count, vm->row.memory_bytes, vm->row.concerns);
}

/* The host @id; *ret NULL if that is "", which means all. */
static int find_only(Hosts *h, const char *id, Host **ret, sd_bus_error *error) {
        *ret = isempty(id) ? NULL : hosts_find(h, id);
        return *ret || isempty(id) ? 0 : bus_no_such_host(error, id);
}

int hosts_method_list_vms(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        static const ListKind kind = { "(sossssuts)", true, append_vm };
        uint64_t offset, limit, total = 0;
        Hosts *h = userdata;
        const char *id;
        Host *only;
        int r = sd_bus_message_read(message, "stt", &id, &offset, &limit);

        if (r < 0)
                return r;
        if (limit < 1 || limit > LIST_LIMIT_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "limit: must be 1 to %u",
                                LIST_LIMIT_MAX);
        r = find_only(h, id, &only, error);
        if (r < 0)
                return r;
        for (const Host *host = h->by_id; host; host = host->hh.next)
                if (!host->adding && (!only || host == only))
                        total += HASH_COUNT(host->vms);
        return list_start(h, &kind, only, &total, offset, limit, message);
}

/* What the database does not have: what VMs are doing, and since when they run, if that was seen. */
static int append_runtime(sd_bus_message *reply, const Host *h, const Vm *vm) {
        usec_t started = vm->started > 0 ? now_realtime() - (now_monotonic() - vm->started) : 0;

        if (!vm->task && started == 0)
                return 0;
        return sd_bus_message_append(
                        reply, "(ssst)", h->row.id, vm->row.uuid, strempty(vm->task), (uint64_t) started);
}

int hosts_method_list_runtime(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        static const ListKind kind = { "(ssst)", true, append_runtime };
        Hosts *h = userdata;
        const char *id;
        Host *only;
        int r = sd_bus_message_read(message, "s", &id);

        if (r >= 0)
                r = find_only(h, id, &only, error);
        return r < 0 ? r : list_start(h, &kind, only, NULL, 0, UINT64_MAX, message);
}

/* --- all objects ----------------------------------------------------------------------------------- */

typedef struct HostObjects {
        ObjectList list;
        HostWalk walk;
} HostObjects;

static int add_object(ObjectList *list, Host *h, Vm *vm) {
        _cleanup_free_ char *path = vm ? vm_bus_path(vm) : host_bus_path(h->row.id);
        const BusObject o = vm ? (BusObject){ path, HYPER_HOSTS_VM_INTERFACE, vm_vtable, vm }
                               : (BusObject){ path, HYPER_HOSTS_HOST_INTERFACE, host_vtable, h };

        return path ? object_list_add(list, &o) : -ENOMEM;
}

static int objects_step(ObjectList *list) {
        HostObjects *l = CONTAINER_OF(list, HostObjects, list);

        for (unsigned n = 0; n < OBJECTS_STEP; n++) {
                Host *h;
                Vm *vm;
                int r = host_walk_next(&l->walk, &h, &vm);

                if (r <= 0)
                        return r;
                r = add_object(list, h, vm);
                if (r < 0)
                        return r;
        }
        return 1;
}

static const char *interface_of(const char *path) {
        const char *id = startswith(path, HYPER_HOSTS_BUS_PATH "/");

        return id && strchr(id, '/') ? HYPER_HOSTS_VM_INTERFACE : HYPER_HOSTS_HOST_INTERFACE;
}

static void objects_free(ObjectList *list) {
        HostObjects *l = CONTAINER_OF(list, HostObjects, list);

        host_walk_done(&l->walk);
        free(l);
}

static int on_call(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        static const ObjectListType type = {
                .step = objects_step, .interface = interface_of, .free = objects_free
        };
        Hosts *h = userdata;
        HostObjects *l;
        int r;

        if (!object_list_is_call(message))
                return 0;
        l = new0(HostObjects, 1);
        r = l ? host_walk_begin(&l->walk, h, NULL) : -ENOMEM;
        if (r >= 0)
                return object_list_start(&l->list, &type, &h->replies, message);
        if (l)
                objects_free(&l->list);
        return r;
}

int hosts_objects_register(Hosts *h) {
        return sd_bus_add_object(h->bus, &h->slots[6], HYPER_HOSTS_BUS_PATH, on_call, h);
}
