/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which paths a job may name. Nobody reads or writes the system's own; an operator's paths must be below
 * directories of the configuration besides, and what an operator is told of all others is the same whether
 * they exist or not. */

#include "shared/role.h"
#include "shared/settings.h"

/* What is being looked at just now, for another thread to tell of. */
typedef enum LookingAt {
        LOOKING_AT_NOTHING,
        LOOKING_AT_SOURCE,
        LOOKING_AT_DESTINATION,
} LookingAt;

typedef struct PathRules {
        Role role;
        char **source_paths, **destination_paths; /* an operator's */
        int *at; /* LookingAt, written without a lock; or NULL */
        const char *fstab; /* where mount points are listed; NULL: /etc/fstab */
        char *database; /* our own, wherever the configuration puts it; NULL: none */
} PathRules;

/* The rules by which a job of @role is checked: a copy, which other threads may use. 0 or -ENOMEM. */
int path_rules_init(PathRules *p, const Settings *settings, Role role);
void path_rules_done(PathRules *p);

/* Why @path belongs to the system, or NULL: by its text alone. @device: it is a block device, or may be
 * one. */
const char *path_refusal(const char *path, bool device);

/* True if @path is @directory or lies below it. */
bool path_is_below(const char *path, const char *directory) _pure_;

/* True if block devices are there, whose links udev makes and changes. */
static inline bool path_is_device(const char *path) {
        return path_is_below(path, "/dev");
}

/* Opens @path as a handle (O_PATH), with its path without symlinks in *ret_real, which the caller frees.
 * @follow: symlinks are followed, else they are -ELOOP; in /dev they are followed always. Whether @path may
 * be used by @rules is decided before anything is looked at, of every link on the way, and of where it ends.
 *
 * The descriptor; -EPERM with *ret_why (static) if it may not be used, then an administrator's *ret_real may
 * be set, too, to where the path leads; -ENOMEM; or what open(2) says, without *ret_real. */
int path_open(const PathRules *rules, const char *path, bool destination, bool follow, char **ret_real,
                const char **ret_why);

/* Whether a file may be used, or may be made there, by the text of its path. 0, or -EPERM with *ret_why
 * (static), or -ENOMEM. Looks at where the directories of the configuration lead, and at nothing else. */
int path_check(const PathRules *rules, const char *path, bool destination, const char **ret_why);
