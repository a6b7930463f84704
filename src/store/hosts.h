/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database of hyper-hostd, opened with store_open_hosts(): the hosts there are, and what was last known
 * of their VMs. hyper-hostd is its one writer; errors and durability are those of store.h. */

#include "store/store.h"

typedef enum HostState {
        HOST_CONNECTED,
        HOST_DISCONNECTED, /* gone, or not tried yet: it will be tried again */
        HOST_ERROR, /* libvirt refuses, which another try will hardly change */
        _HOST_STATE_MAX,
        _HOST_STATE_INVALID = -EINVAL,
} HostState;

const char *host_state_to_string(HostState s);
HostState host_state_from_string(const char *s);

typedef struct HostRow {
        char *id;
        char *uri; /* as it was given: not to be shown */
        char *shown_uri; /* the same with its userinfo as "***" */
        char *name;
        HostState state;
        char *error; /* why it is not connected, in libvirt's words; "" */
        usec_t created_at, updated_at;
        bool manual; /* connected only on request: a person has disconnected it */
} HostRow;
void host_row_done(HostRow *row);

typedef struct HostRows {
        HostRow *rows;
        size_t n;
} HostRows;
void host_rows_done(HostRows *rows);

/* "ACTIVE", "PAUSED", "SUSPENDED", "STOPPED", "ERROR" or "UNKNOWN" for a virDomainState. */
const char *vm_state_to_string(int state);

typedef struct VmRow {
        int64_t seq; /* set by store_vms_put() */
        char *uuid;
        char *name;
        char *description;
        int state; /* virDomainState */
        unsigned vcpu_count;
        uint64_t memory_bytes;
        bool vnc, spice, persistent;
        char *cpu_model; /* "host-passthrough", "Skylake-Client"; "" if libvirt does not say */
        char *os_type; /* "debian/12" or, without libosinfo's metadata, "hvm" */
        char *cpu_topology; /* {"sockets":…,"cores":…,"threads":…}; "" if libvirt does not say */
        char *drift; /* what differs from its persistent description while it runs: "disks, memory"; "" */
        char *concerns; /* errors and warnings, see spec/concern.h: JSON; "" if they are not known */
        uint64_t disk_bytes; /* of all its disks together, as the VM sees them; 0: not known */
        char **macs; /* of its NICs, as vm_mac_normalize() writes them; not in the database */
        usec_t created_at, updated_at; /* created_at is set by store_vms_put() */
} VmRow;
void vm_row_done(VmRow *row);

typedef struct VmRows {
        VmRow *rows;
        size_t n;
} VmRows;
void vm_rows_done(VmRows *rows);

/* -EEXIST: there is one with that id. */
int store_host_insert(Store *s, const HostRow *row);
int store_host_set_state(Store *s, const char *id, HostState state, const char *error, usec_t timestamp);
/* Its name, and whether it is connected automatically. -ENOENT if there is none. */
int store_host_set_definition(Store *s, const HostRow *row);
/* No host is connected any more: for when the daemon begins and ends. */
int store_hosts_set_away(Store *s);
/* And with it its VMs. -ENOENT if there is none. */
int store_host_delete(Store *s, const char *id);

int store_host_get(Store *s, const char *id, HostRow *ret);
int store_hosts_list(Store *s, HostRows *ret); /* by id */

/* Inserts or updates @n VMs of a host, and removes those whose UUIDs are in @gone (a strv, may be NULL), in
 * one transaction. */
int store_vms_put(Store *s, const char *host_id, VmRow *const *rows, size_t n, char *const *gone);
/* By name. */
int store_vms_list(Store *s, const char *host_id, VmRows *ret);
/* The same, of at most @limit behind the one with @name and @seq; "" and 0: from the beginning. */
int store_vms_list_after(
                Store *s, const char *host_id, const char *name, int64_t seq, uint64_t limit, VmRows *ret);

typedef struct VmCount {
        int state; /* virDomainState */
        uint64_t n, vcpus; /* of the VMs in this state */
} VmCount;

/* How many VMs there are in each state, of a host or, if @host_id is NULL, of all. The caller frees. */
int store_vms_count(Store *s, const char *host_id, VmCount **ret, size_t *ret_n);

/* Settings that clients keep here: a text by its name. -ENOENT if it was never set; the caller frees. */
int store_setting_get(Store *s, const char *name, char **ret);
int store_setting_set(Store *s, const char *name, const char *value);
