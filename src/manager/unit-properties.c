/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/unit-properties.h"
#include "spec/job-result.h"
#include <linux/capability.h>

#include "basic/string-util.h"
#include "basic/time-util.h"
#include "manager/job-directory.h"
#include "spec/job-file.h"

#define HYPER_JOB LIBEXECDIR "/hyper-job"
#define MIB ((uint64_t) 1024 * 1024)
/* For finish to write all changes of a guest to its image. */
#define COMMIT_TIME (3600 * USEC_PER_SEC)
/* In front of a command line: in the mount namespace of PID 1. */
#define OUTSIDE "/usr/bin/nsenter", "--target=1", "--mount", "--"

/* A property that every job's unit has. */
typedef struct FixedProperty {
        const char *name;
        PropertyKind kind;
        uint64_t number;
        const char *const *strings;
} FixedProperty;

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const FixedProperty fixed[] = {
        { "Slice", PROPERTY_STRING, 0, LIST("hyper-jobs.slice") },
        { "Type", PROPERTY_STRING, 0, LIST("exec") },
        /* For STATUS=. A compromised job could extend its time limits with it: executor-unit.c prevents
           that. */
        { "NotifyAccess", PROPERTY_STRING, 0, LIST("main") },
        /* Nobody needs a dead job's unit: how it ended is in its directory, then in the database. */
        { "CollectMode", PROPERTY_STRING, 0, LIST("inactive-or-failed") },

        /* hyper-job gets SIGTERM first and alone, so that it can end its servers in good order. */
        { "KillMode", PROPERTY_STRING, 0, LIST("mixed") },
        /* A job that ends because it was stopped has not failed: systemd logs no warning. */
        { "SuccessExitStatus", PROPERTY_EXIT_STATUS, JOB_EXIT_CANCELLED, NULL },
        /* (added to the other one) */
        { "SuccessExitStatus", PROPERTY_EXIT_STATUS, JOB_EXIT_PASS, NULL },
        /* Prepare makes a directory: what takes longer than this is a dead network file system. */
        { "TimeoutStartUSec", PROPERTY_U64, 90 * USEC_PER_SEC, NULL },

        /* A progress line a second, and whatever qemu-nbd prints: none of it may be dropped. (0 would be no
           limit, but systemd 252 then leaves journald's own in force.) */
        { "LogRateLimitIntervalUSec", PROPERTY_U64, USEC_PER_SEC, NULL },
        { "LogRateLimitBurst", PROPERTY_U32, 1000000, NULL },
        { "SyslogIdentifier", PROPERTY_STRING, 0, LIST("hyper-job") },

        /* Prepare and finish work in the machine's own file system: neither the root directory nor
         * the restrictions below are for them. "+" in front of their command lines would say the
         * same, but systemd 252 writes transient "+" lines as keys that it does not know when it
         * reads them again after a daemon-reload, and the job would end without finish. */
        { "RootDirectoryStartOnly", PROPERTY_BOOL, true, NULL },
        { "PermissionsStartOnly", PROPERTY_BOOL, true, NULL },

        /* The root is an empty directory; what the job sees of the machine is bound into it, and
         * nothing of it but the part directory and the job's directory can be written. (An empty
         * TemporaryFileSystem=/ would be simpler, but it is there for prepare and finish, too.) */
        { "MountAPIVFS", PROPERTY_BOOL, true, NULL },
        { "ProtectSystem", PROPERTY_STRING, 0, LIST("strict") },
        { "ProtectHome", PROPERTY_STRING, 0, LIST("read-only") },
        /* (The /run that MountAPIVFS= would make can be written by every user, too, but has no limit.) */
        { "TemporaryFileSystem", PROPERTY_PAIRS, 0,
                        LIST("/dev/shm", "ro,size=0", JOB_RUNTIME_DIRECTORY,
                                        "mode=1777,size=64M,nr_inodes=1k,nodev,nosuid,noexec") },
        /* DynamicUser= brings PrivateTmp=, which would give the job room in the machine's own /tmp. */
        { "InaccessiblePaths", PROPERTY_STRV, 0, LIST("-/tmp", "-/var/tmp") },
        { "PrivateDevices", PROPERTY_BOOL, true, NULL },
        { "PrivateIPC", PROPERTY_BOOL, true, NULL },
        { "ProtectProc", PROPERTY_STRING, 0, LIST("invisible") },
        { "ProcSubset", PROPERTY_STRING, 0, LIST("pid") },
        { "ProtectControlGroups", PROPERTY_BOOL, true, NULL },
        { "ProtectKernelModules", PROPERTY_BOOL, true, NULL },
        { "ProtectKernelLogs", PROPERTY_BOOL, true, NULL },
        { "ProtectClock", PROPERTY_BOOL, true, NULL },
        { "ProtectHostname", PROPERTY_BOOL, true, NULL },

        /* A user of its own (User= is added below): no other process has its uid, and no user namespace of a
         * daemon belongs to it. */
        { "DynamicUser", PROPERTY_BOOL, true, NULL },
        { "KeyringMode", PROPERTY_STRING, 0, LIST("private") },
        { "NoNewPrivileges", PROPERTY_BOOL, true, NULL },
        { "LockPersonality", PROPERTY_BOOL, true, NULL },
        { "MemoryDenyWriteExecute", PROPERTY_BOOL, true, NULL },
        { "RestrictNamespaces", PROPERTY_U64, 0, NULL }, /* none may be made or joined */
        { "RestrictRealtime", PROPERTY_BOOL, true, NULL },
        { "SystemCallArchitectures", PROPERTY_STRV, 0, LIST("native") },
        { "SystemCallFilter", PROPERTY_FILTER, 1, LIST("@system-service") },
        /* @file-system in @system-service has the two calls that reach files without a path, @ipc those that
         * reach another process's memory, @aio io_uring. */
        { "SystemCallFilter", PROPERTY_FILTER, 0,
                        LIST("@privileged", "@keyring", "@debug", "@mount", "@obsolete", "@resources",
                                        "@aio", "name_to_handle_at", "open_by_handle_at", "process_vm_readv",
                                        "process_vm_writev", "process_madvise", "userfaultfd", "kcmp") },
        /* What hyper-job needs to give up more of its own, and its parsers' (src/job/parser-sandbox.c). */
        { "SystemCallFilter", PROPERTY_FILTER, 1,
                        LIST("capset", "seccomp", "landlock_create_ruleset", "landlock_add_rule",
                                        "landlock_restrict_self", "setrlimit", "prlimit64",
                                        "sched_setaffinity") },
        { "SystemCallErrorNumber", PROPERTY_I32, EPERM, NULL },
        { "UMask", PROPERTY_U32, 0077, NULL },

        { "TasksMax", PROPERTY_U64, 512, NULL },
        { "LimitCORE", PROPERTY_U64, 0, NULL }, /* a core would hold pieces of the disk, and keys */
        { "OOMPolicy", PROPERTY_STRING, 0, LIST("stop") },
};

/* What a program needs to run, besides job_root_links. */
static const char *const programs[] = {
        "/usr",
        "-/etc/ld.so.cache",
        "-/etc/alternatives",
        /* The one socket of the journal that events are sent to. */
        "-/run/systemd/journal/socket",
};

/* What finding and trusting a server needs. */
static const char *const network_files[] = {
        "-/etc/resolv.conf",
        "-/etc/hosts",
        "-/etc/host.conf",
        "-/etc/nsswitch.conf",
        "-/etc/gai.conf",
        "-/etc/services",
        /* Not all of /etc/ssl: private keys are in it, too. */
        "-/etc/ssl/certs",
        "-/etc/gnutls",
};

void unit_properties_done(UnitProperties *p) {
        for (size_t i = 0; i < p->n; i++)
                strv_free(p->items[i].strings);
        free(p->items);
        *p = (UnitProperties){};
}

unsigned weight_from_priority(unsigned priority) {
        if (priority <= 50)
                return 10 + priority * 90 / 50;
        return 100 + (MIN(priority, 100u) - 50) * 18;
}

/* Takes @strings, also on failure. */
static int add_consume(
                UnitProperties *p, const char *name, PropertyKind kind, uint64_t number, char **strings) {
        if (!GREEDY_REALLOC(p->items, p->allocated, p->n + 1)) {
                strv_free(strings);
                return -ENOMEM;
        }
        p->items[p->n++] =
                        (UnitProperty){ .name = name, .kind = kind, .number = number, .strings = strings };
        return 0;
}

static int add_list(UnitProperties *p, const char *name, PropertyKind kind, uint64_t number,
                const char *const *list, size_t n) {
        _cleanup_strv_free_ char **copy = new0(char *, n + 1);

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (!(copy[i] = strdup(list[i])))
                        return -ENOMEM;
        return add_consume(p, name, kind, number, TAKE_PTR(copy));
}

static int add_string(UnitProperties *p, const char *name, const char *value) {
        return add_list(p, name, PROPERTY_STRING, 0, &value, 1);
}

/* @ignored: the commands after it are run even if it fails. */
static int add_exec(
                UnitProperties *p, const char *name, const char *verb, const char *directory, bool ignored) {
        return add_list(p, name, PROPERTY_EXEC, ignored, (const char *const[]){ HYPER_JOB, verb, directory },
                        3);
}

/* Prepare and finish keep RootDirectory= off, but the binds are made for them, too, over the very files they
 * are about to make, rename and remove: they step out of that, into the machine's own view. */
static int add_exec_outside(UnitProperties *p, const char *name, const char *verb, const char *directory) {
        return add_list(p, name, PROPERTY_EXEC, 0,
                        (const char *const[]){ OUTSIDE, HYPER_JOB, verb, directory }, 7);
}

/* systemd 252 leaves this file behind when a transient unit with LogExtraFields= is gone: some bytes of
 * memory for every job there ever was. (In the unit of an attempt, finish or define removes it: another
 * process would take systemd as long as one of them.) */
static int add_exec_tidy_up(UnitProperties *p, const char *job_id) {
        _cleanup_free_ char *unit = job_unit_name(job_id), *file = NULL;

        if (!unit)
                return -ENOMEM;
        file = strprintf("/run/systemd/units/log-extra-fields:%s", unit);
        return file ? add_list(p, "ExecStopPost", PROPERTY_EXEC, 0,
                                      (const char *const[]){ OUTSIDE, "/usr/bin/rm", "-f", "--", file }, 8)
                    : -ENOMEM;
}

static int add_identity(UnitProperties *p, const char *job_id, const char *submitter) {
        _cleanup_free_ char *description = strprintf("Migration job %s", job_id),
                            *field = strprintf("HYPER_JOB_ID=%s", job_id),
                            *by = strprintf("HYPER_SUBMITTER=%s", strempty(submitter));

        if (!description || !field || !by)
                return -ENOMEM;
        int r = add_string(p, "Description", description);
        return r < 0 ? r
                     : add_list(p, "LogExtraFields", PROPERTY_BYTES, 0, (const char *const[]){ field, by },
                                       isempty(submitter) ? 1 : 2);
}

/* Every path that is the job's own may be missing: then systemd still starts the unit, and hyper-job says
 * in plain words what is not there; and finish always runs, even after a daemon-reload, in which systemd 252
 * reads binds with "\\" or ":" in them back as those of other paths. */
static int extend_optional(char ***list, char *const *paths) {
        STRV_FOREACH(path, paths) {
                int r = strv_extendf(list, "-%s", *path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int extend_list(char ***list, const char *const *paths, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = strv_extend(list, paths[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* /bin, /lib and so on, if they are not links, which job_root_make() makes. */
static int extend_programs(char ***list) {
        for (const char *const *path = job_root_links; *path; path++) {
                _cleanup_free_ char *target = NULL;
                int r = job_root_link_target(*path, &target);

                if (r == 0)
                        r = strv_extendf(list, "-%s", *path);
                if (r < 0)
                        return r;
        }
        return extend_list(list, programs, ELEMENTSOF(programs));
}

static int add_view(UnitProperties *p, const UnitRequest *q) {
        _cleanup_strv_free_ char **ro = NULL, **rw = NULL, **writable = NULL;
        int r;

        r = extend_programs(&ro);
        if (r >= 0)
                r = extend_optional(&ro, q->source_files);
        if (r >= 0)
                r = extend_optional(&ro, q->tls_files);
        if (r < 0)
                return r;
        if (q->vddk_libdir && (r = strv_extendf(&ro, "-%s", q->vddk_libdir)) < 0)
                return r;
        if (q->vddk_plugin && (r = strv_extendf(&ro, "-%s", q->vddk_plugin)) < 0)
                return r;
        if (q->network && (r = extend_list(&ro, network_files, ELEMENTSOF(network_files))) < 0)
                return r;
        if (!startswith(LIBEXECDIR, "/usr/") && (r = strv_extend(&ro, LIBEXECDIR)) < 0)
                return r;

        /* The plan and the marks are for reading, only the results are written. */
        r = strv_extendf(&ro, "-%s", q->directory);
        if (r >= 0)
                r = strv_extendf(&rw, "-%s/" JOB_RESULTS_DIRECTORY, q->directory);
        if (r < 0)
                return r;
        if (q->part_dir && (r = strv_extendf(&rw, "-%s", q->part_dir)) < 0)
                return r;
        for (char *const *d = q->devices; d && d[0] && d[1]; d += 2) {
                r = streq(d[1], "r") ? 0 : strv_extendf(&rw, "-%s", d[0]);
                if (r < 0)
                        return r;
        }
        if (q->guest) {
                r = strv_extend(&ro, "-" STATEDIR "/appliance");
                if (r >= 0 && q->virtio_win)
                        r = strv_extendf(&ro, "-%s", q->virtio_win);
                if (r >= 0)
                        r = strv_extend(&rw, "-/dev/kvm");
                if (r < 0)
                        return r;
        }
        /* What ProtectSystem=strict leaves writable. */
        STRV_FOREACH(path, rw)
                if ((r = strv_extend(&writable, *path)) < 0)
                        return r;
        if ((r = strv_extend(&writable, JOB_RUNTIME_DIRECTORY)) < 0)
                return r;
        /* Connecting to a socket needs no writable mount, but the right to write to it. */
        if ((r = extend_optional(&ro, q->sockets)) < 0)
                return r;

        r = add_string(p, "RootDirectory", q->root);
        if (r >= 0)
                r = add_consume(p, "BindReadOnlyPaths", PROPERTY_BINDS, 0, TAKE_PTR(ro));
        if (r >= 0)
                r = add_consume(p, "BindPaths", PROPERTY_BINDS, 0, TAKE_PTR(rw));
        if (r < 0)
                return r;
        return add_consume(p, "ReadWritePaths", PROPERTY_STRV, 0, TAKE_PTR(writable));
}

/* Images and sockets may belong to anybody. In what the job sees of the machine, which is read-only, these
 * rights open nothing else; hyper-job uses them for opening and connecting, and hands on to a parser what it
 * needs. */
static int add_user(UnitProperties *p, const UnitRequest *q) {
        uint64_t rights = 1u << CAP_DAC_READ_SEARCH;
        int r;

        if (strv_length(q->sockets) > 0 || strv_contains(q->devices, "rw"))
                rights |= 1u << CAP_DAC_OVERRIDE;
        r = add_string(p, "User", q->user);
        if (r >= 0)
                r = add_consume(p, "CapabilityBoundingSet", PROPERTY_U64, rights, NULL);
        if (r < 0)
                return r;
        return add_consume(p, "AmbientCapabilities", PROPERTY_U64, rights, NULL);
}

/* A job and its servers stay far below this, unless an image drives them mad. VMware's library has buffers of
 * its own for each disk. */
static uint64_t memory_max(const UnitRequest *q) {
        unsigned appliance = q->guest_memory > 0 ? q->guest_memory : JOB_APPLIANCE_MEMORY_DEFAULT;

        return (q->guest ? 1792 + (uint64_t) appliance : q->vddk_libdir ? 2048 : 1024) * MIB;
}

static int add_limits(UnitProperties *p, const UnitRequest *q) {
        static const char *const local[] = { "AF_UNIX" },
                                 *const remote[] = { "AF_UNIX", "AF_INET", "AF_INET6" };
        unsigned weight = weight_from_priority(q->priority);
        usec_t limit = q->timeout_seconds > 0 ? q->timeout_seconds * USEC_PER_SEC : USEC_INFINITY;
        int r;

        r = add_consume(p, "RuntimeMaxUSec", PROPERTY_U64, limit, NULL);
        if (r >= 0)
                r = add_consume(p, "TimeoutStopUSec", PROPERTY_U64,
                                q->in_place ? COMMIT_TIME : unit_stop_time(q->warm), NULL);
        if (r >= 0)
                r = add_consume(p, "MemoryMax", PROPERTY_U64, memory_max(q), NULL);
        if (r >= 0)
                r = add_consume(p, "CPUWeight", PROPERTY_U64, weight, NULL);
        if (r >= 0)
                r = add_consume(p, "IOWeight", PROPERTY_U64, weight, NULL);
        if (r >= 0)
                r = add_consume(p, "PrivateNetwork", PROPERTY_BOOL, !q->network, NULL);
        if (r < 0)
                return r;
        return add_list(p, "RestrictAddressFamilies", PROPERTY_FILTER, 1, q->network ? remote : local,
                        q->network ? ELEMENTSOF(remote) : ELEMENTSOF(local));
}

/* The appliance is made before the job starts if it does not exist. If that fails, the job says so. */
static int add_appliance(UnitProperties *p) {
        static const char *const unit[] = { "hyper-appliance.service" };
        static const char *const device[] = { "/dev/kvm", "rw" };
        int r = add_list(p, "Wants", PROPERTY_STRV, 0, unit, 1);

        if (r >= 0)
                r = add_list(p, "After", PROPERTY_STRV, 0, unit, 1);
        return r < 0 ? r : add_list(p, "DeviceAllow", PROPERTY_PAIRS, 0, device, 2);
}

static int add_credentials(UnitProperties *p, char *const *credentials) {
        if (strv_length(credentials) == 0)
                return 0;
        return add_list(p, "LoadCredentialEncrypted", PROPERTY_PAIRS, 0, (const char *const *) credentials,
                        strv_length(credentials));
}

/* What ProtectKernelTunables= would add is either below /sys, or missing from the /proc of ProcSubset=, and
 * systemd 252 reads the list of mounts three times for each of its 18 paths. With 257, /sys can be written in
 * spite of ReadOnlyPaths=, and the /tmp and /var/tmp of DynamicUser= in spite of InaccessiblePaths=. */
static int add_for_version(UnitProperties *p, unsigned version) {
        static const char *const sys[] = { "/sys" };
        static const char *const tmp[] = { "/tmp", "ro,size=0", "/var/tmp", "ro,size=0" };
        int r;

        if (version <= 252)
                return add_list(p, "ReadOnlyPaths", PROPERTY_STRV, 0, sys, ELEMENTSOF(sys));
        r = add_consume(p, "ProtectKernelTunables", PROPERTY_BOOL, true, NULL);
        return r < 0 ? r : add_list(p, "TemporaryFileSystem", PROPERTY_PAIRS, 0, tmp, ELEMENTSOF(tmp));
}

int unit_properties_for_job(const UnitRequest *q, UnitProperties *ret) {
        _cleanup_(unit_properties_done) UnitProperties p = {};
        int r = add_identity(&p, q->job_id, q->submitter);

        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(fixed); i++) {
                size_t n = 0;
                while (fixed[i].strings && fixed[i].strings[n])
                        n++;
                r = add_list(&p, fixed[i].name, fixed[i].kind, fixed[i].number, fixed[i].strings, n);
                if (r < 0)
                        return r;
        }
        r = add_for_version(&p, q->systemd_version);
        if (r >= 0)
                r = add_user(&p, q);
        if (r >= 0)
                r = add_limits(&p, q);
        if (r >= 0)
                r = add_view(&p, q);
        if (r >= 0)
                r = add_exec_outside(&p, "ExecStartPre", "prepare", q->directory);
        if (r >= 0)
                r = add_exec(&p, "ExecStart", "run", q->directory, false);
        if (r >= 0)
                r = add_exec_outside(&p, "ExecStopPost", "finish", q->directory);
        if (r >= 0 && q->define)
                r = add_exec_outside(&p, "ExecStopPost", "define", q->directory);
        if (r < 0)
                return r;
        /* The private /dev has none, and its device policy lets nothing else through. */
        if (strv_length(q->devices) > 0) {
                r = add_list(&p, "DeviceAllow", PROPERTY_PAIRS, 0, (const char *const *) q->devices,
                                strv_length(q->devices));
                if (r < 0)
                        return r;
        }
        r = q->guest ? add_appliance(&p) : 0;
        if (r >= 0)
                r = add_credentials(&p, q->credentials);
        if (r < 0)
                return r;
        *ret = p;
        p = (UnitProperties){};
        return 0;
}

/* Snapshots of large disks take minutes to be removed. */
#define PUT_BACK_TIME (15 * USEC_PER_MINUTE)

int unit_properties_for_finish(const char *job_id, const char *directory, FinishTasks tasks,
                usec_t boot_time, char *const *credentials, UnitProperties *ret) {
        _cleanup_(unit_properties_done) UnitProperties p = {};
        usec_t time = COMMIT_TIME + (tasks & FINISH_PUT_BACK ? PUT_BACK_TIME : 0) +
                        (tasks & FINISH_BOOT ? boot_time : 0);
        int r = add_identity(&p, job_id, NULL);

        if (tasks & FINISH_SEND)
                time = USEC_INFINITY;
        if (r >= 0)
                r = add_string(&p, "Slice", "hyper-jobs.slice");
        if (r >= 0)
                r = add_string(&p, "Type", "oneshot");
        if (r >= 0)
                r = add_string(&p, "CollectMode", "inactive-or-failed");
        if (r >= 0)
                r = add_string(&p, "SyslogIdentifier", "hyper-job");
        if (r >= 0)
                r = add_consume(&p, "TimeoutStartUSec", PROPERTY_U64, time, NULL);
        if (r >= 0 && (tasks & FINISH_OUTPUT))
                r = add_exec(&p, "ExecStart", "finish-later", directory, tasks & FINISH_PUT_BACK);
        if (r >= 0 && (tasks & FINISH_OUTPUT))
                r = add_exec(&p, "ExecStart", "define", directory, tasks & FINISH_PUT_BACK);
        if (r >= 0 && (tasks & FINISH_SEND))
                r = add_exec(&p, "ExecStopPost", "define-end", directory, false);
        if (r >= 0 && (tasks & FINISH_PUT_BACK))
                r = add_exec(&p, "ExecStart", "put-back", directory, false);
        if (r >= 0 && (tasks & FINISH_BOOT))
                r = add_exec(&p, "ExecStart", "boot", directory, false);
        if (r >= 0 && (tasks & FINISH_BOOT))
                r = add_exec(&p, "ExecStopPost", "boot-end", directory, false);
        if (r >= 0)
                r = add_credentials(&p, credentials);
        if (r >= 0)
                r = add_exec_tidy_up(&p, job_id);
        if (r < 0)
                return r;
        *ret = p;
        p = (UnitProperties){};
        return 0;
}

const UnitProperty *unit_properties_find(const UnitProperties *p, const char *name) {
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->items[i].name, name))
                        return &p->items[i];
        return NULL;
}
