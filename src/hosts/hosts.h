/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon as one object: what its files share. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "shared/bus-util.h"
#include "shared/settings.h"
#include "shared/step-reply.h"
#include "store/hosts.h"

typedef struct Hosts Hosts;
typedef struct Host Host;
typedef struct Client Client;
typedef struct Subscription Subscription;
typedef struct Activities Activities;

#define HOSTS_MAX 1000u
/* Threads of all hosts that were let go; with so many no host is added. */
#define HOST_GHOSTS_TOTAL 64u

struct Hosts {
        sd_event *event;
        sd_bus *bus;
        Store *store;
        Settings *settings;
        char *state_directory, *config_directory, *keyfile;
        Host *by_id;
        Client *clients;
        Subscription *subscriptions;
        Activities *activities;
        StepReplies replies; /* that are being made for clients */
        PolkitRegistry *polkit;
        sd_bus_slot *slots[7];
        sd_bus_slot *release_call;
        sd_event_source *idle_timer;
        usec_t last_call;
        unsigned n_define_calls; /* that wait for libvirt */
        bool draining; /* the name is being given up */
        void (*connect)(Host *h); /* host_connect(), for the timer of host-lost.c */
};
