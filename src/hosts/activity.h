/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has happened to hosts and VMs since the daemon started: the last of it, in memory. */

#include "hosts/host.h"

typedef enum ActivityKind {
        ACTIVITY_HOST_CONNECTED,
        ACTIVITY_HOST_DISCONNECTED,
        ACTIVITY_VM_STATE,
        ACTIVITY_SYSTEM, /* hosts and VMs came or went */
        _ACTIVITY_KIND_MAX,
} ActivityKind;
const char *activity_kind_to_string(ActivityKind k) _pure_;

#define ACTIVITIES_MAX 256u

typedef struct Activity {
        uint64_t id; /* counts from 1 */
        usec_t at; /* since 1970 */
        ActivityKind kind;
        const char *severity; /* "info", "warning", "error"; static */
        char *host, *uuid, *vm, *message; /* "" if there is none */
} Activity;

typedef struct Activities Activities;
int activities_new(Activities **ret);
Activities *activities_free(Activities *a);
DEFINE_CLEANUP_FUNC(Activities *, activities_free);

/* @vm may be NULL. Failures are logged. */
void activity_note(
                const Host *h, const Vm *vm, ActivityKind kind, const char *severity, const char *message);

size_t activities_count(const Activities *a) _pure_;
/* The @i-th from the newest on. */
const Activity *activities_get(const Activities *a, size_t i) _pure_;
