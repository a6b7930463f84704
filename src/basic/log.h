/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What programs say. Libraries are silent: they return negative errno and let the program speak. Under
 * systemd the lines go to stderr with a "<N>" priority prefix (sd-daemon(3)), which the journal understands;
 * on a terminal they are plain. */

#include <syslog.h>

#include "basic/macro.h"

/* Lines above @level (LOG_DEBUG … LOG_ERR) are not written; LOG_INFO at first, or $HYPER_LOG_LEVEL (a
 * word). */
void log_open(const char *program);
void log_set_max_level(int level);
int log_level_from_string(const char *s);

/* Logs, with %m standing for @error (its sign does not matter), and returns -abs(@error). */
int log_internal(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_full_errno(level, error, ...) log_internal(level, error, __VA_ARGS__)
#define log_error_errno(error, ...) log_full_errno(LOG_ERR, error, __VA_ARGS__)
#define log_warning_errno(error, ...) log_full_errno(LOG_WARNING, error, __VA_ARGS__)
#define log_info_errno(error, ...) log_full_errno(LOG_INFO, error, __VA_ARGS__)
#define log_debug_errno(error, ...) log_full_errno(LOG_DEBUG, error, __VA_ARGS__)
#define log_error(...) ((void) log_full_errno(LOG_ERR, 0, __VA_ARGS__))
#define log_warning(...) ((void) log_full_errno(LOG_WARNING, 0, __VA_ARGS__))
#define log_notice(...) ((void) log_full_errno(LOG_NOTICE, 0, __VA_ARGS__))
#define log_info(...) ((void) log_full_errno(LOG_INFO, 0, __VA_ARGS__))
#define log_debug(...) ((void) log_full_errno(LOG_DEBUG, 0, __VA_ARGS__))
#define log_oom() log_full_errno(LOG_ERR, ENOMEM, "Out of memory.")
