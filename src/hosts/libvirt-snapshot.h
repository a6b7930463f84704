/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls about snapshots of VMs (libvirt-error.h). */

#include <jansson.h>
#include <libvirt/libvirt.h>

#include "basic/macro.h"

#define SNAPSHOT_NAME_MAX 100u

typedef enum SnapshotAction {
        SNAPSHOT_CREATE,
        SNAPSHOT_REVERT,
        SNAPSHOT_DELETE, /* later ones remain */
} SnapshotAction;

const char *snapshot_action_to_string(SnapshotAction action) _pure_; /* "created" */

/* Letters, digits, or . _ - : it is put into a description as it is. */
bool snapshot_name_is_valid(const char *name) _pure_;

/* [{"name", "state", "created_at", "current"}]: a new reference. */
int libvirt_snapshots(virConnectPtr connection, const char *uuid, json_t **ret, char **ret_error);

/* @name is valid. */
int libvirt_snapshot_act(virConnectPtr connection, const char *uuid, SnapshotAction action, const char *name,
                char **ret_error);
