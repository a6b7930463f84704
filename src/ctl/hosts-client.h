/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-hostd, for the verbs "host …" and "vm …". */

#include "ctl/client.h"

/* Connects, and has what goes wrong from now on told of hyper-hostd. As client_connect(). */
int hosts_connect(Ctl *ctl, sd_bus **ret);
/* client_call() for org.hyper1.Hosts.Manager. */
int hosts_call(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *method,
                const char *types, ...);
/* The same for any object and interface; @types NULL: no arguments. */
int hosts_call_object(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *path,
                const char *interface, const char *method);

/* The object of a VM, given by name or UUID. @host NULL: on whichever host it is, if only one has it. Says
 * what is wrong: EXIT_OK with *ret_path and *ret_host (may be NULL) for the caller to free, or another
 * ExitStatus. */
int hosts_find_vm(Ctl *ctl, sd_bus *bus, const char *host, const char *vm, char **ret_path, char **ret_host);

/* The properties of an interface as an object; members that are no strings, numbers or booleans are left
 * out. */
int hosts_get_properties(Ctl *ctl, sd_bus *bus, const char *what, const char *path, const char *interface,
                json_t **ret);

typedef struct ListedVm {
        const char *host, *path, *uuid, *name, *description, *state, *concerns;
        uint32_t vcpus;
        uint64_t memory;
} ListedVm;

/* Calls @func for each VM of @host, or of all ("" or NULL); one that returns negative ends it. EXIT_OK or
 * another ExitStatus. */
int hosts_each_vm(Ctl *ctl, sd_bus *bus, const char *host, int (*func)(const ListedVm *vm, void *userdata),
                void *userdata);

/* Of a host or of a VM. */
Colour colour_of_host_state(const char *state);
Colour colour_of_vm_state(const char *state);
