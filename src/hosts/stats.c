/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/stats.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/host-lost.h"
#include "hosts/hosts.h"
#include "hosts/subscription.h"

#define INTERVAL (2 * USEC_PER_SEC)
#define ACCURACY (10 * USEC_PER_MSEC)
/* What is younger answers a new subscriber without asking libvirt again. */
#define FRESH (USEC_PER_SEC / 2)

/* Those who come while a poll is under way are served by one more, together. */
#define GATHER (50 * USEC_PER_MSEC)

static void poll_now(Host *h);
static int arm(Host *h, usec_t after);

typedef struct PollTask {
        Task task;
        Host *host; /* the loop's */
        char **uuids;
        VmSample *samples;
        size_t n_samples;
} PollTask;

static int run_poll(Task *t, HostThread *w, virConnectPtr *connection) {
        PollTask *p = CONTAINER_OF(t, PollTask, task);

        return libvirt_sample(*connection, p->uuids, &p->samples, &p->n_samples, &t->error);
}

static void free_poll(Task *t) {
        PollTask *p = CONTAINER_OF(t, PollTask, task);

        vm_samples_free(p->samples, p->n_samples);
        strv_free(p->uuids);
        free(p);
}

/* --- samples --------------------------------------------------------------------------------------- */

void vm_take_sample(Vm *vm, VmSample *s) {
        /* What this driver of libvirt does not count is as it was described. */
        if (s->max_memory == 0)
                s->max_memory = vm->row.memory_bytes / 1024;
        if (s->memory == 0 && vm_is_active(vm))
                s->memory = s->max_memory;
        if (s->vcpu == 0)
                s->vcpu = vm->row.vcpu_count;
        /* Rates over less than that say nothing. */
        if (vm->now.at + FRESH <= s->at || vm->now.state != s->state) {
                vm_sample_done(&vm->before);
                vm->before = vm->now;
                vm->now = (VmSample){};
        }
        vm_sample_done(&vm->now);
        vm->now = *s;
        *s = (VmSample){};
}

static void publish_sampled(Host *h, usec_t since) {
        for (Subscription *s = h->hosts->subscriptions; s; s = s->hh.next)
                if (s->vm && s->vm->host == h && s->vm->now.at >= since)
                        subscription_publish(s, s->clients, s->n_clients);
}

static void done_poll(Task *t, int r) {
        PollTask *p = CONTAINER_OF(t, PollTask, task);
        usec_t first = USEC_INFINITY;
        Host *h = p->host;

        if (r == -ECANCELED)
                return;
        h->polling = false;
        if (r == -ETIMEDOUT)
                return host_lost(h, HOST_DISCONNECTED, "the host did not answer in time");
        if (r < 0)
                log_warning_errno(r, "Failed to get statistics from host %s: %s", h->row.id,
                                isempty(t->error) ? strerror(-r) : t->error);
        for (size_t i = 0; i < p->n_samples; i++) {
                Vm *vm = host_find_vm(h, p->samples[i].uuid);

                if (!vm)
                        continue;
                first = MIN(first, p->samples[i].at);
                vm_take_sample(vm, p->samples + i);
        }
        publish_sampled(h, first);
        if (h->poll_again && arm(h, GATHER) < 0)
                poll_now(h);
}

/* --- polling --------------------------------------------------------------------------------------- */

/* The UUIDs of those VMs of @h that run and are wanted, each once. */
static int wanted_vms(Host *h, char ***ret) {
        _cleanup_strv_free_ char **uuids = NULL;
        size_t n = 0;

        uuids = new0(char *, HASH_COUNT(h->vms) + 1);
        if (!uuids)
                return -ENOMEM;
        for (Subscription *s = h->hosts->subscriptions; s; s = s->hh.next)
                if (s->vm && s->vm->host == h)
                        s->vm->wanted = vm_is_active(s->vm);
        for (Subscription *s = h->hosts->subscriptions; s; s = s->hh.next)
                if (s->vm && s->vm->host == h && s->vm->wanted) {
                        s->vm->wanted = false;
                        uuids[n] = strdup(s->vm->row.uuid);
                        if (!uuids[n++])
                                return -ENOMEM;
                }
        *ret = TAKE_PTR(uuids);
        return n > 0;
}

static int start_poll(Host *h) {
        PollTask *p = new0(PollTask, 1);
        int r;

        if (!p)
                return -ENOMEM;
        p->task = (Task){ .run = run_poll, .done = done_poll, .free = free_poll };
        p->host = h;
        r = wanted_vms(h, &p->uuids);
        if (r <= 0) {
                free_poll(&p->task);
                return r;
        }
        h->polling = true;
        r = host_thread_run(h->thread, &p->task, h->hosts->settings->hosts.call_timeout);
        if (r < 0)
                h->polling = false;
        return r < 0 ? r : 1;
}

static int on_poll(sd_event_source *s, uint64_t usec, void *userdata) {
        poll_now(userdata);
        return 0;
}

static int arm(Host *h, usec_t after) {
        if (!h->poll)
                return sd_event_add_time_relative(
                                h->hosts->event, &h->poll, CLOCK_MONOTONIC, after, ACCURACY, on_poll, h);
        int r = sd_event_source_set_time_relative(h->poll, after);

        return r < 0 ? r : sd_event_source_set_enabled(h->poll, SD_EVENT_ONESHOT);
}

/* The timer goes on as long as there is something to poll. */
static void poll_now(Host *h) {
        int r;

        h->poll_again = false;
        if (!h->thread || h->row.state != HOST_CONNECTED)
                return;
        r = h->polling ? 1 : start_poll(h);
        if (r > 0)
                r = arm(h, INTERVAL);
        if (r < 0)
                log_warning_errno(r, "Failed to poll host %s for statistics: %m", h->row.id);
}

void stats_poll(Host *h) {
        if (h->polling)
                h->poll_again = true;
        else
                poll_now(h);
}

bool stats_are_fresh(const Vm *vm) {
        const Host *h = vm->host;

        return vm->now.at > 0 && now_monotonic() < vm->now.at + INTERVAL && vm_is_active(vm) &&
                        (h->polling || (h->poll && sd_event_source_get_enabled(h->poll, NULL) > 0));
}

/* --- VMs come and go ------------------------------------------------------------------------------- */

static bool is_of(const Subscription *s, const Vm *vm) {
        return streq(s->host_id, vm->host->row.id) &&
                        (streq(s->vm_name, vm->row.name) || streq(s->vm_name, vm->row.uuid));
}

void stats_vm_appeared(Vm *vm) {
        bool found = false;

        for (Subscription *s = vm->host->hosts->subscriptions; s; s = s->hh.next)
                if (!s->vm && is_of(s, vm)) {
                        s->vm = vm;
                        found = true;
                }
        if (found && vm_is_active(vm))
                stats_poll(vm->host);
}

/* A VM that is off is not asked for; its last word is that it is off. */
static void take_off_sample(Vm *vm) {
        VmSample s = {
                .at = now_monotonic(),
                .state = vm->row.state,
                .max_memory = vm->row.memory_bytes / 1024,
                .vcpu = vm->row.vcpu_count,
        };

        strncpy(s.uuid, vm->row.uuid, sizeof(s.uuid) - 1);
        vm_take_sample(vm, &s);
}

void stats_vm_changed(Vm *vm, bool was_active) {
        bool is_active = vm_is_active(vm), wanted = false;

        for (Subscription *s = vm->host->hosts->subscriptions; s; s = s->hh.next) {
                if (s->vm == vm && !is_of(s, vm)) /* it has another name now */
                        s->vm = NULL;
                else if (!s->vm && is_of(s, vm))
                        s->vm = vm;
                wanted = wanted || s->vm == vm;
        }
        if (!wanted || was_active == is_active)
                return;
        if (is_active)
                return stats_poll(vm->host);
        take_off_sample(vm);
        for (Subscription *s = vm->host->hosts->subscriptions; s; s = s->hh.next)
                if (s->vm == vm)
                        subscription_publish(s, s->clients, s->n_clients);
}

void stats_vm_gone(Vm *vm) {
        for (Subscription *s = vm->host->hosts->subscriptions; s; s = s->hh.next)
                if (s->vm == vm)
                        s->vm = NULL;
}

void stats_host_gone(Host *h) {
        for (Vm *vm = h->vms; vm; vm = vm->hh.next)
                stats_vm_gone(vm);
}
