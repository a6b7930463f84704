/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /etc/hyper/config.yaml and its drop-ins /etc/hyper/config.d/\*.yaml (read in the order of their names,
 * later wins). Everything is optional. An unknown key, a wrong type or a value out of range is an error that
 * names file, line and key; then nothing of the file is in force. */

#include <jansson.h>

#include "basic/time-util.h"

typedef struct Settings {
        struct {
                char *path; /* database.path */
        } database;
        struct {
                unsigned max_running; /* jobs.max_running: 1 to 256; default: cores, at most 8 */
                char **source_paths; /* jobs.source_paths: if set, sources must lie below one of them */
                char **destination_paths; /* jobs.destination_paths: the same for destinations */
        } jobs;
        struct {
                usec_t idle_timeout; /* daemon.idle_timeout, seconds in the file; default 30 s */
                char *log_level; /* daemon.log_level: debug … err */
        } daemon;
} Settings;

Settings *settings_free(Settings *s);
DEFINE_CLEANUP_FUNC(Settings *, settings_free);

/* @directory is normally SYSCONFDIR "/hyper". A missing file or folder is no error. On -EBADMSG *ret_error
 * holds "FILE:LINE: KEY: what is wrong"; the caller frees it. */
int settings_load(const char *directory, Settings **ret, char **ret_error);

/* What is in force, as JSON of the same shape as the file. New reference, or NULL when out of memory. */
json_t *settings_to_json(const Settings *s);
