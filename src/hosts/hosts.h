/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-hostd: libvirt hosts and their VMs, on the bus and in a database of its own. What it depends on is
 * given to it, so that tests use a private bus and a temporary database. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <uthash.h>

#include "hosts/worker.h"
#include "shared/bus-util.h"
#include "shared/settings.h"
#include "store/hosts.h"

typedef struct Hosts Hosts;
typedef struct Host Host;
typedef struct Vm Vm;
typedef struct Client Client;
typedef struct Subscription Subscription;

typedef struct HostsOptions {
        sd_event *event;
        sd_bus *bus;
        Store *store; /* as STORE_OWNER, of store_open_hosts() */
        Settings *settings; /* the daemon's from hosts_new() on, also on failure */
        const char *state_directory; /* .ssh/ is in it */
        const char *config_directory; /* read again by hosts_reload() */
} HostsOptions;

/* A VM as it was last seen. It outlives the connection to its host. */
struct Vm {
        Host *host;
        VmRow row;
        usec_t started; /* monotonic: when it was seen to start; 0: before we looked */
        unsigned round; /* of the list that had it last */
        VmSample now, before; /* its last two samples; at is 0: none */
        bool wanted; /* while a poll is put together: it is in it already */
        UT_hash_handle hh; /* by UUID */
};

/* Threads of connections that were let go and have not come back; with so many there is no further try. */
#define HOST_GHOSTS_MAX 4
/* Those of all hosts; with so many no host is added. */
#define GHOSTS_MAX 64u
#define HOSTS_MAX 1000u

struct Host {
        Hosts *hosts;
        HostRow row;
        HostFacts facts;
        Vm *vms;
        bool refused; /* its URI is not allowed, so there are no tries */
        bool adding; /* not a host yet: it is being connected to for the first time */
        sd_bus_message *add_call; /* which is answered when that has ended */

        Worker *worker; /* NULL: between two tries */
        Worker *ghosts[HOST_GHOSTS_MAX];
        sd_event_source *retry;
        usec_t pause; /* before the next try */
        unsigned n_calls; /* of clients, that wait for the thread */
        char **dirty; /* UUIDs of VMs to look at again */
        size_t n_dirty;
        unsigned round; /* counts lists */
        bool list_wanted; /* all of them */
        bool looking; /* a task that lists or describes is under way */
        sd_event_source *vms_changed; /* tells of many changes at once */

        sd_event_source *poll; /* of statistics */
        bool polling; /* a task is under way */
        bool poll_again; /* somebody came while it was */
        UT_hash_handle hh; /* by id */
};

struct Hosts {
        sd_event *event;
        sd_bus *bus;
        Store *store;
        Settings *settings;
        char *state_directory, *config_directory, *keyfile;
        Host *by_id;
        Client *clients;
        Subscription *subscriptions;
        PolkitRegistry *polkit;
        sd_bus_slot *slots[6];
        sd_bus_slot *release_call;
        sd_event_source *idle_timer;
        usec_t last_call;
        bool draining; /* the name is being given up */
};

int hosts_new(const HostsOptions *options, Hosts **ret);
/* Says in the database that no host is connected any more. */
Hosts *hosts_free(Hosts *h);
DEFINE_CLEANUP_FUNC(Hosts *, hosts_free);

/* Loads the hosts, puts the objects on the bus, begins to connect, requests the name. */
int hosts_start(Hosts *h);

/* Reads the configuration again; what is waited for just now keeps its timeout. On failure the old one stays
 * in force, and *ret_why is why, for people (caller frees; may be NULL). 0 or negative errno. */
int hosts_reload(Hosts *h, char **ret_why);

/* NULL: there is none, or it is being added. */
Host *hosts_find(Hosts *h, const char *id);

/* --- host.c: one connection, kept up --------------------------------------------------------------- */

/* Takes *row, also on failure. The host is in @hosts from then on. */
int host_new(Hosts *hosts, HostRow *row, Host **ret);
/* Out of @hosts, too. */
Host *host_free(Host *h);
DEFINE_CLEANUP_FUNC(Host *, host_free);

/* Begins to connect; from then on it stays connected, or tries to. */
void host_connect(Host *h);
/* The configuration has changed: whether its URI is allowed now. */
void host_check_uri(Host *h);
/* The connection is of no more use; tries again after a pause. @error: for people. A host that was being
 * added is freed. */
void host_lost(Host *h, HostState state, const char *error);
/* The call of AddHost failed: answers it and frees the host. */
void host_refuse(Host *h, const char *error);
/* Records it, and tells the bus. */
void host_set_state(Host *h, HostState state, const char *error);

Vm *host_find_vm(Host *h, const char *uuid);
/* By UUID, or by name. */
Vm *host_find_vm_by_any(Host *h, const char *name);

/* --- host-sync.c: the cache of VMs ----------------------------------------------------------------- */

/* Looks at everything anew, or at one VM. */
void host_look_at_all(Host *h);
void host_look_at(Host *h, const char *uuid);
/* Puts into the cache what libvirt said of @n VMs, and takes those out that are gone (a strv of UUIDs).
 * Takes the rows' strings where it needs them. */
void host_take_vms(Host *h, VmRow *rows, size_t n, char *const *gone);
/* Reads the cache from the database. */
int host_load_vms(Host *h);
Vm *vm_free(Vm *vm);
bool vm_is_active(const Vm *vm);

/* --- host-tasks.c: what is asked of a host's thread ------------------------------------------------ */

/* Have libvirt asked and then @message answered, also with what went wrong. 1, or negative errno with @error
 * set when it cannot even be asked: what a handler returns. */
int host_call_action(
                Host *h, const char *uuid, VmAction action, sd_bus_message *message, sd_bus_error *error);
int host_call_hardware(Host *h, const char *uuid, sd_bus_message *message, sd_bus_error *error);
int host_call_stats(Host *h, const char *uuid, sd_bus_message *message, sd_bus_error *error);
int host_call_info(Host *h, sd_bus_message *message, sd_bus_error *error);

/* Seconds since the host was booted; 0: only known of this machine. */
uint64_t host_uptime(const Host *h);

/* --- subscriptions.c, stats.c: statistics ---------------------------------------------------------- */

/* The sender of @message wants the statistics of that VM (by name or UUID), or no more. 0, or negative errno
 * with
 * @error set. */
int hosts_subscribe(Hosts *hosts, Host *h, const char *vm, sd_bus_message *message, sd_bus_error *error);
int hosts_unsubscribe(Hosts *hosts, const char *host_id, const char *vm, sd_bus_message *message);
void hosts_drop_subscriptions(Hosts *hosts);

struct Subscription {
        char *key; /* HOST/VM */
        char *host_id;
        const char *vm_name; /* in key: as the clients call it */
        Vm *vm; /* NULL: there is none just now */
        Client **clients;
        size_t n_clients, n_allocated;
        UT_hash_handle hh; /* by key */
};

/* The VM is there now, has another name or state, or goes. */
void stats_vm_appeared(Vm *vm);
void stats_vm_changed(Vm *vm, bool was_active);
void stats_vm_gone(Vm *vm);
/* There may be something to poll, and that at once. */
void stats_poll(Host *h);
/* True if the VM is being polled and its last sample is not older than an interval. */
bool stats_are_fresh(const Vm *vm);
/* Shifts the samples of @vm, of which it takes *s. */
void vm_take_sample(Vm *vm, VmSample *s);
/* Sends the last sample of the VM to all who want it. */
void stats_publish(Subscription *s);

/* The last sample of @vm as the hosts API has it, JSON text; NULL when out of memory. */
char *vm_stats_to_json(const Vm *vm);

/* --- hosts-bus.c, host-bus.c, vm-bus.c ------------------------------------------------------------- */

/* The interfaces' tables, for the test that compares them with dbus/ *.xml. */
extern const sd_bus_vtable hosts_vtable[];
extern const sd_bus_vtable host_vtable[];
extern const sd_bus_vtable vm_vtable[];

int hosts_bus_register(Hosts *h);
int host_bus_register(Hosts *h);
int vm_bus_register(Hosts *h);

char *host_bus_path(const char *id);
char *vm_bus_path(const Vm *vm);

/* Signals. Failures are logged. */
void hosts_bus_changed(Hosts *h);
void host_bus_added(Host *h, bool added);
void host_bus_changed(Host *h);
void host_bus_connection_changed(Host *h);
void host_bus_vms_changed(Host *h);
void vm_bus_added(Vm *vm, bool added);
void vm_bus_changed(Vm *vm);

int bus_no_such_host(sd_bus_error *error, const char *id);
int bus_no_such_vm(sd_bus_error *error, const Host *h, const char *vm);

/* --- hosts-idle.c ---------------------------------------------------------------------------------- */

int hosts_idle_start(Hosts *h);
