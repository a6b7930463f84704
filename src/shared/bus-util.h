/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bus: names, paths, polkit. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"

#define HYPER_BUS_NAME "org.hyper1"
#define HYPER_BUS_PATH "/org/hyper1"
#define HYPER_MANAGER_INTERFACE "org.hyper1.Manager"
#define HYPER_DELIVERIES_INTERFACE "org.hyper1.Deliveries" /* for hyper-notifyd */
#define HYPER_SOURCES_INTERFACE "org.hyper1.Sources" /* for hyper-vsphered */
#define HYPER_SLURM_INTERFACE "org.hyper1.Slurm" /* for hyper-slurmd */
#define HYPER_SESSIONS_INTERFACE "org.hyper1.Sessions" /* for hyper-auth */
#define HYPER_JOB_INTERFACE "org.hyper1.Job"
#define HYPER_JOB_PATH_PREFIX "/org/hyper1/job"
#define HYPER_SCHEDULE_INTERFACE "org.hyper1.Schedule"
#define HYPER_SCHEDULE_PATH_PREFIX "/org/hyper1/schedule"

/* hyper-apid's */
#define HYPER_API_BUS_NAME "org.hyper1.Api"
#define HYPER_API_BUS_PATH "/org/hyper1/api"
#define HYPER_API_INTERFACE "org.hyper1.Api"

/* hyper-agentd's */
#define HYPER_AGENT_BUS_NAME "org.hyper1.Agent"
#define HYPER_AGENT_BUS_PATH "/org/hyper1/agent"
#define HYPER_AGENT_INTERFACE "org.hyper1.Agent"

/* hyper-vsphered's */
#define HYPER_VSPHERE_BUS_NAME "org.hyper1.VSphere"
#define HYPER_VSPHERE_BUS_PATH "/org/hyper1/vsphere"
#define HYPER_VSPHERE_INTERFACE "org.hyper1.VSphere"

/* hyper-carbond's */
#define HYPER_CARBON_BUS_NAME "org.hyper1.Carbon"
#define HYPER_CARBON_BUS_PATH "/org/hyper1/carbon"
#define HYPER_CARBON_INTERFACE "org.hyper1.Carbon"

/* hyper-hostd's */
#define HYPER_HOSTS_BUS_NAME "org.hyper1.Hosts"
#define HYPER_HOSTS_BUS_PATH "/org/hyper1/hosts"
#define HYPER_HOSTS_MANAGER_INTERFACE "org.hyper1.Hosts.Manager"
#define HYPER_HOSTS_HOST_INTERFACE "org.hyper1.Hosts.Host"
#define HYPER_HOSTS_VM_INTERFACE "org.hyper1.Hosts.Vm"

/* "/org/hyper1/job/<label>" as sd_bus_path_encode(3) makes it; NULL when out of memory. */
char *job_bus_path(const char *job_id);

/* The same for a schedule: "/org/hyper1/schedule/<label>". */
char *schedule_bus_path(const char *schedule_id);

/* Asks polkit whether the sender of @m may do @action; root, and whoever the daemon runs as, always may,
 * without asking. 1 means allowed. 0 means that polkit was asked: the handler returns 1 (no reply yet) at
 * once, without having changed anything, and is called with @m again, from its start, when polkit has
 * answered. Negative errno with @error set (HYPER_BUS_ERROR_ACCESS_DENIED) means refused. *registry is the
 * caller's, NULL at first, lives as long as the bus, which must be attached to an event loop, and is given
 * to bus_polkit_registry_free() at last. After systemd's bus_verify_polkit_async(), using the public
 * interface org.freedesktop.PolicyKit1.Authority only. What was allowed without asking a person is allowed
 * to the same client for a second more: polkit answers far fewer questions than a busy client has calls. */
typedef struct PolkitRegistry PolkitRegistry;
int bus_verify_polkit(sd_bus_message *m, const char *action, PolkitRegistry **registry, sd_bus_error *error);
PolkitRegistry *bus_polkit_registry_free(PolkitRegistry *r);
DEFINE_CLEANUP_FUNC(PolkitRegistry *, bus_polkit_registry_free);

/* How many questions to polkit wait for an answer: a daemon with some is not idle. @r may be NULL. */
size_t bus_polkit_pending(const PolkitRegistry *r) _pure_;
