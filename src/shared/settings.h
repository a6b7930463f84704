/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /etc/hyper/config.yaml and its drop-ins /etc/hyper/config.d/ (read in the order of their names, later
 * wins). Everything is optional. An unknown key, a wrong type or a value out of range is an error that
 * names file, line and key; then nothing of it all is in force. Anchors, aliases and tags are refused. */

#include <jansson.h>

#include "basic/time-util.h"
#include "spec/label.h"
#include "spec/limit-rules.h"

/* Which users of this machine the HTTP API serves. */
typedef enum LocalAccess {
        LOCAL_GROUPS, /* those that a group gives a role (shared/role.h) */
        LOCAL_ANYBODY, /* each, as admin */
} LocalAccess;

/* What POST /jobs/submit of the HyperSDK API answers when a job was accepted. */
typedef enum SubmitStatus {
        SUBMIT_STATUS_AUTO, /* as the client expects it */
        SUBMIT_STATUS_200,
        SUBMIT_STATUS_201,
} SubmitStatus;

typedef struct Settings {
        struct {
                char *path; /* database.path */
        } database;
        struct {
                unsigned max_per_source; /* jobs.max_per_source: 1 to 256, 4; jobs that read from one vSphere
                                          * server */
                unsigned max_running; /* jobs.max_running: 1 to 256; default: cores, at most 8 */
                unsigned disks_parallel; /* jobs.disks_parallel: disks of a job that are copied at a time, 1
                                          * to 4; default 2 */
                char **source_paths; /* jobs.source_paths: an operator's sources must lie below one of
                                      * them */
                char **destination_paths; /* jobs.destination_paths: the same for destinations */
        } jobs;
        struct {
                bool enabled; /* metrics.enabled: default true */
                unsigned port; /* metrics.port: what HyperSDK's file has; 0: not given. The socket units
                                  decide. */
        } metrics;
        struct {
                usec_t idle_timeout; /* daemon.idle_timeout, seconds in the file, 1 to 86400; default 30 */
                char *log_level; /* daemon.log_level: debug, info, notice, warning, err; default info */
        } daemon;
        struct {
                usec_t call_timeout; /* hosts.call_timeout: how long libvirt may take for one call, seconds
                                        in the file, 1 to 600; default 30 */
                usec_t boot_timeout; /* hosts.boot_timeout: how long a proof of boot may take with KVM,
                                        seconds in the file, 1 to 21600; default 300 */
                bool allow_test; /* hosts.allow_test: hosts of libvirt's test driver may be added; default
                                    false */
        } hosts;
        struct {
                char **roots; /* files.roots: the v1 API gives files below these directories to operators */
        } files;
        struct {
                uint64_t max_size; /* uploads.max_size: of one file, in bytes; default 16T */
                uint64_t quota; /* uploads.quota: of all that are not complete, in bytes; 0: no limit */
        } uploads;
        struct {
                unsigned max_running; /* guest.max_running: appliances that run at once, 1 to 64; 0: not
                                       * given, 4 with KVM, else 1 */
                unsigned memory; /* guest.memory: of an appliance, in MiB, 512 to 65536; default 1280 */
                char *virtio_win; /* guest.virtio_win: a directory or an ISO image with drivers for Windows;
                                     NULL: not given */
        } guest;
        struct {
                bool local; /* worker.local: this machine takes jobs that any worker may take, too; default
                               true */
                char **labels; /* worker.labels: of this machine; NULL: none */
        } worker;
        struct {
                char **cors_origins; /* api.cors_origins: web pages of these may use the API */
                LocalAccess local; /* api.local: groups or anybody; default groups */
                bool require_key; /* api.require_key: on the loopback interface too, in each dialect; default
                                     false */
                unsigned rate_limit; /* api.rate_limit: requests a minute of one client, 1 to 1000000; 0: not
                                        given */
                unsigned rate_burst; /* api.rate_burst: how many of them at once, likewise */
        } api;
        struct {
                usec_t token_lifetime; /* auth.token_lifetime, seconds in the file, 300 to 86400; default 8
                                          hours */
                usec_t session_lifetime; /* auth.session_lifetime: how long after the login a session can be
                                            refreshed, likewise, 300 to 2592000; default 7 days */
        } auth;
        struct {
                unsigned rate_limit; /* v1.rate_limit: requests a minute of an address without a valid token,
                                        1 to 1000000; default 100 */
                unsigned user_rate_limit; /* v1.user_rate_limit: the same of a user or API key; default
                                             6000 */
        } v1;
        struct {
                char *source; /* carbon.source: carbonintensity-gb, electricitymaps, watttime or file; NULL:
                                 there is none */
                char *url; /* carbon.url: of the source, https:// or file:///; NULL: its own */
                char *zone; /* carbon.zone: whose grid it is; NULL: not given */
                usec_t refresh; /* carbon.refresh: how old data may be before they are read again, seconds in
                                   the file, 300 to 3600; default 900 */
                usec_t stale_after; /* carbon.stale_after: older data are not used, likewise, 300 to 604800;
                                       default 21600 */
        } carbon;
        struct {
                SubmitStatus submit_status; /* hypersdk.submit_status: auto, 200 or 201; default auto */
        } hypersdk;
        struct {
                char *vddk_libdir; /* vsphere.vddk_libdir: the directory of VMware's library; NULL: none */
                char *vddk_plugin; /* vsphere.vddk_plugin: nbdkit's plugin for it; NULL: nbdkit's own
                                    * directory has it */
        } vsphere;
        struct {
                char **allow_private; /* webhooks.allow_private: ranges of addresses (shared/address-range.h)
                                         that events are delivered to though they are not the internet's */
        } delivery;
        struct {
                char *url; /* slurm.url: of slurmrestd, unix:/PATH or https://HOST; NULL: Slurm is not used */
                char *api; /* slurm.api: the version of its API; default v0.0.38 */
                char *user; /* slurm.user: whose jobs they are; default hyper-slurm */
                char *partition, *account, *constraint; /* slurm.*: of all jobs; NULL: Slurm's own */
                unsigned memory; /* slurm.memory: of a job that says nothing, in MiB; default 1024 */
                unsigned max_jobs; /* slurm.max_jobs: that Slurm has at once, 1 to 5000; default 1000 */
                char **licenses; /* slurm.licenses: patterns of limits that are licenses in Slurm, too */
        } slurm;
        LimitRules limits; /* limits: a number for each pattern of names; "vcenter:*" is jobs.max_per_source,
                            * if not given, "esx:*" 4, "datastore:*" and "host:*" 8 */
        StorageRules storage; /* storage: the label of the machines that have the files below each path */
        json_t *webhooks; /* a list of definitions (shared/webhook.h), with their secrets; NULL: not given */
        char **restart_needed; /* settings that the files have another value for, which is in force only
                                  after a restart; settings_keep_database() */
        char *version; /* of the files that this was read from: another one when one of them was changed */
} Settings;

Settings *settings_free(Settings *s);
DEFINE_CLEANUP_FUNC(Settings *, settings_free);

/* The defaults; NULL when out of memory. */
Settings *settings_new(void);

/* Puts what one file says over @s; @file is its name, for errors. On error @s is partly changed. 0;
 * -EBADMSG with *ret_error; -ENOMEM. */
int settings_parse(const char *file, const char *text, size_t size, Settings *s, char **ret_error);

/* @directory is normally SYSCONFDIR "/hyper". A missing file or directory is no error. On -EBADMSG
 * *ret_error holds "FILE:LINE: KEY: what is wrong", when a file cannot be read (its errno) "FILE: why"; the
 * caller frees it. -ENOMEM says nothing. */
int settings_load(const char *directory, Settings **ret, char **ret_error);

/* The same for a daemon whose state is in @state_directory: the database is there, unless database.path is
 * set. */
int settings_load_for(const char *directory, const char *state_directory, Settings **ret, char **ret_error);

/* The database at @path is open, and is used until the daemon is restarted: @s names that one again, and
 * restart_needed has "database.path" if the files name another one. 0 or -ENOMEM. */
int settings_keep_database(Settings *s, const char *path);

/* What is in force, as JSON of the same shape as the file, with "***" in place of secrets. New reference,
 * or NULL when out of memory. */
json_t *settings_to_json(const Settings *s);
