/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager hands to a job's unit and what the unit hands back: small files in the job's own
 * directory STATEDIR "/jobs/<escaped id>/", nothing on the command line but that directory's path.
 *
 * job.json: manager to unit. The plan (below).
 *
 * results/: the only directory in it that hyper-job run can write; what is in it is hostile.
 *
 * results/result.json: unit to manager. How the attempt ended (below).
 *
 * published: unit to manager. Exists once the output has its final name (written by hyper-job finish).
 *
 * cancelled: manager to unit. Exists once the job is cancelled: finish then removes the unfinished output.
 *
 * booting: unit to manager. Exists once the unit has begun to see whether the domain boots.
 *
 * stopped: unit to manager. Exists once systemd has said that the unit of this attempt was stopped from
 * outside (written by hyper-job finish).
 *
 * ending: a link to which of these two it will be; who makes it decides (job_mark_claim()).
 */

#include <sys/stat.h>

#include "spec/job-spec.h"

#define JOB_RESULTS_DIRECTORY "results"
/* In a job's namespace: a small file system in memory, for sockets and keys. (A directory that each machine
 * has, since prepare and finish get a namespace of the same make; and all of it, as systemd would make a
 * /run without a limit.) */
#define JOB_RUNTIME_DIRECTORY "/run"
/* systemd's limit of 31, and the bytes of a digest that are in a name: no two jobs are made to share a
 * user. */
#define JOB_USER_MAX 31
/* So many directories above a destination are made if they do not exist. */
#define JOB_NEW_DIRECTORIES_MAX 32u
/* In the state directory: files "0", "1", … that jobs lock while they run an appliance. */
#define JOB_APPLIANCES "appliance"
#define JOB_APPLIANCE_SLOTS JOB_APPLIANCES "/slots"
/* So many appliances run at once by default. */
#define JOB_APPLIANCES_KVM 4u
#define JOB_APPLIANCES_TCG 1u
#define JOB_APPLIANCES_MAX 64u
#define JOB_APPLIANCE_MEMORY_MIN 512u /* MiB */
#define JOB_APPLIANCE_MEMORY_MAX 65536u
#define JOB_APPLIANCE_MEMORY_DEFAULT 1280u
#define JOB_DISKS_PARALLEL_MAX 4u
#define JOB_DISKS_PARALLEL_DEFAULT 2u

/* Reads a file of the directory, which may be hostile: -EBADMSG if it is no regular file, or longer than
 * @max. A NUL is added, which *ret_size does not count. */
int job_file_read(const char *directory, const char *name, size_t max, char **ret, size_t *ret_size);

typedef struct JobPlan {
        char *job_id;
        unsigned attempt; /* from 1 */
        JobSpec *spec; /* paths resolved: no symlink in them. spec->source.path and spec->destination.path
                          are what is written, whatever the document says. */
        unsigned warm_pass; /* the pass that a warm job is in, from 1; 0: it is none */
        bool cutover; /* that pass is the last one: the virtual machine is shut down in it */
        char *user; /* that hyper-job run has; NULL: root, when a plan is carried out by hand */
        char **bound; /* what the job sees of the machine, as file_identity_text() has it; and the directory
                         of the destination and those above it, as far as they exist: prepare makes the
                         others */
        char **source_files; /* FILE source: every file that is visible in the unit, the first is the image
                                itself; then each of its further disks with the files of its image */
        char *part_dir; /* FILE destination: "<dir>/.<name>.hyper-part", see src/job/README.md; the same of
                           a source that is changed in place. NULL for a block device, for an NBD
                           destination, and if nothing is written */
        char *virtio_win; /* guest.virtio_win of the configuration, or NULL */
        unsigned appliances; /* guest.max_running of the configuration; 0: as by default */
        unsigned appliance_memory; /* guest.memory of the configuration, in MiB; 0: as by default */
        unsigned disks_parallel; /* disks that are copied at a time, 1 to JOB_DISKS_PARALLEL_MAX; 0: as by
                                  * default */
        char *vddk_libdir, *vddk_plugin; /* of the configuration, or NULL */
} JobPlan;

/* The paths of the disks of a FILE source: NULL behind the last one. */
const char *job_source_disk(const JobEndpoint *source, size_t disk) _pure_;
/* That of disk @disk and the other files of its image, such as extents: *ret_n of @p->source_files. NULL:
 * there is no such disk. */
char *const *job_plan_disk_files(const JobPlan *p, size_t disk, size_t *ret_n);

/* "device inode size /path" of a file, "device inode - /path" of a directory or a socket: the manager checks
 * a path, and what is under that path later must be the same. NULL when out of memory. */
char *file_identity_text(const char *path, const struct stat *st);
/* -ESTALE: @st is another file than the one that @list has for @path; -ENOENT: it has none. */
int file_identity_check(char *const *list, const char *path, const struct stat *st);

/* The file that the job writes: the destination, or the source that is changed in place. NULL: none. */
const char *job_plan_target(const JobPlan *p) _pure_;

JobPlan *job_plan_free(JobPlan *p);
DEFINE_CLEANUP_FUNC(JobPlan *, job_plan_free);
int job_plan_write(const JobPlan *p, const char *directory);
/* -ENOENT: there is none; -EBADMSG: it is malformed, or not a regular file. The same for
 * job_result_read(). */
int job_plan_read(const char *directory, JobPlan **ret);
/* The decoder of job_plan_read(): text in, plan out. -EBADMSG or -ENOMEM. */
int job_plan_decode(const char *text, size_t size, JobPlan **ret);

/* The marks: made durably; removed; asked for. */
#define JOB_MARK_PUBLISHED "published"
#define JOB_MARK_BOOTING "booting" /* a proof of boot has begun, which may be stopped */
#define JOB_MARK_SENDING "sending" /* the disks are sent to another host, which may be stopped */
#define JOB_MARK_SEND_STOPPED "send-stopped" /* it was stopped on request */
#define JOB_MARK_CANCELLED "cancelled"
#define JOB_MARK_STOPPED "stopped" /* this attempt was stopped from outside, and does not count */
/* The job has enabled changed block tracking of its source, which is to be disabled at its end. */
#define JOB_MARK_TRACKING JOB_RESULTS_DIRECTORY "/vsphere-tracking"
int job_mark_set(const char *directory, const char *mark);
int job_mark_clear(const char *directory, const char *mark);
/* 1 or 0, or negative errno. */
int job_mark_is_set(const char *directory, const char *mark);

/* A cancel and the publishing of the output exclude each other: one mark only can be claimed, by the manager
 * before it records that the job is cancelled, by hyper-job finish before it gives the output its name. 0,
 * also when that mark was claimed before; -EALREADY: the other one was. */
int job_mark_claim(const char *directory, const char *mark);
/* No mark is claimed any more: another attempt begins. */
int job_mark_release(const char *directory);
/* 1 or 0, or negative errno. */
int job_mark_is_claimed(const char *directory, const char *mark);
