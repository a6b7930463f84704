/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The properties of a job's transient unit: a table of what every job has, and what its spec adds. Made as
 * plain data, so that a test can look at it; unit-append.h puts it into a message. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "basic/time-util.h"

typedef enum PropertyKind {
        PROPERTY_BOOL, /* b: number */
        PROPERTY_I32, /* i: number */
        PROPERTY_U32, /* u: number */
        PROPERTY_U64, /* t: number */
        PROPERTY_STRING, /* s: strings[0] */
        PROPERTY_STRV, /* as: strings */
        PROPERTY_EXEC, /* a(sasb): strings is argv, argv[0] the program; number 1: its failure is ignored */
        PROPERTY_BINDS, /* a(ssbt): strings are paths; a "-" in front: it need not exist */
        PROPERTY_FILTER, /* (bas): number 1: only strings are allowed, 0: strings are not */
        PROPERTY_PAIRS, /* a(ss): strings two by two */
        PROPERTY_BYTES, /* aay: strings */
        PROPERTY_EXIT_STATUS, /* (aiai): number is the one status; no signals */
} PropertyKind;

typedef struct UnitProperty {
        const char *name; /* systemd's, a static string */
        PropertyKind kind;
        uint64_t number;
        char **strings;
} UnitProperty;

typedef struct UnitProperties {
        UnitProperty *items;
        size_t n, allocated;
} UnitProperties;

void unit_properties_done(UnitProperties *p);

/* What a job's unit depends on. All paths are resolved and absolute. */
typedef struct UnitRequest {
        const char *job_id;
        const char *submitter; /* the name of who has submitted it, for the journal; or NULL */
        const char *user; /* that the job runs as: job_user_name() */
        const char *directory; /* the job's own, read by the job; the results in it are written */
        const char *root; /* an empty directory: the root of the job's file system is put together there */
        char *const *source_files; /* read-only */
        const char *part_dir; /* or NULL; made by ExecStartPre= */
        char *const *sockets; /* of NBD servers on this machine */
        char *const *devices; /* block devices: path, "r" or "rw", path, … */
        char *const *tls_files; /* certificates and keys, read-only */
        char *const *credentials; /* name, path of the encrypted file, name, path, … */
        unsigned systemd_version; /* 0: the oldest one */
        bool network;
        bool define; /* a domain is defined for the output */
        bool guest; /* it starts an appliance, see src/guest/README.md */
        unsigned guest_memory; /* of that, in MiB; 0: as by default */
        const char *virtio_win; /* or NULL; for the guest, read-only */
        const char *vddk_libdir, *vddk_plugin; /* of the configuration, read-only, or NULL */
        bool warm; /* when it is stopped, it has to remove a snapshot */
        bool in_place; /* finish writes to the image */
        unsigned timeout_seconds; /* 0: no limit */
        unsigned priority;
} UnitRequest;

/* The unit that carries the job out. 0 or -ENOMEM. */
int unit_properties_for_job(const UnitRequest *request, UnitProperties *ret);

/* How long a unit may take to stop, by UnitRequest.warm. */
static inline usec_t unit_stop_time(bool warm) {
        return (warm ? 120 : 30) * USEC_PER_SEC;
}

/* What is done for a job that no unit of its own could do it for. */
typedef enum FinishTasks {
        FINISH_OUTPUT = 1 << 0, /* publish its output, or remove it */
        FINISH_PUT_BACK = 1 << 1, /* leave the virtual machine of a warm job as it was */
        FINISH_BOOT = 1 << 2, /* see whether its domain boots */
        FINISH_SEND = 1 << 3, /* with FINISH_OUTPUT: disks are sent to another host, at any length */
} FinishTasks;

/* The unit that does nothing but @tasks. FINISH_BOOT may take @boot_time. @credentials as above. */
int unit_properties_for_finish(const char *job_id, const char *directory, FinishTasks tasks,
                usec_t boot_time, char *const *credentials, UnitProperties *ret);

const UnitProperty *unit_properties_find(const UnitProperties *p, const char *name);

/* 10 … 1000, with 100, the default of systemd, for priority 50 (systemd.resource-control(5)). */
unsigned weight_from_priority(unsigned priority) _pure_;
