/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A call of the bus that libvirt must answer: a task for the host's thread, and a reply when that comes
 * back.
 */

#include <jansson.h>
#include <systemd/sd-bus.h>

#include "hosts/host-items.h"
#include "hosts/host.h"
#include "hosts/libvirt-domain.h"

typedef struct HostCall HostCall;

struct HostCall {
        Task task;
        /* In the thread. 0 or more, or negative errno as libvirt's calls return it, with task.error. */
        int (*ask)(HostCall *c, virConnectPtr connection);
        /* In the loop, when that went well: sends the reply, or returns negative errno. */
        int (*reply)(HostCall *c);
        /* In the loop, when it did not; may be NULL. */
        void (*fail)(HostCall *c);

        /* The loop's */
        Host *host;
        sd_bus_message *message;

        /* What is asked */
        char *uuid; /* of a VM; NULL: about the host */
        VmAction action;
        const char *type; /* static */
        char *name; /* of a snapshot; copied by host_call() */
        const struct HostList *list;

        /* What comes back */
        VmRow row; /* the VM as it is afterwards; uuid NULL: not known */
        char *text;
        json_t *json;
        int fd; /* if @has_fd */
        bool has_fd;
        VmSample *samples;
        size_t n_samples;
        HostFacts facts;
        uint64_t numbers[2];
        HostItems items;
};

/* Has @template (its first members, and what is asked) run for @message. 1, or negative errno with @error
 * set when libvirt cannot even be asked: what a handler returns. */
int host_call(Host *h, const HostCall *template, const char *uuid, sd_bus_message *message,
                sd_bus_error *error);
