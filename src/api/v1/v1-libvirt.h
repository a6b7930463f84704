/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /libvirt: the libvirt of this machine, in the form of v1. */

#include "api/http/router.h"

int v1_get_domain(Request *r);
int v1_act_on_domain(Request *r); /* the last part of the path is the action */
int v1_list_snapshots(Request *r);
int v1_list_networks(Request *r);
int v1_list_pools(Request *r);
int v1_list_volumes(Request *r);

extern const QueryField v1_domain_query[], v1_snapshots_query[], v1_libvirt_query[];
extern const Schema v1_domain_body, v1_snapshot_body;
extern const Reply v1_domain_action_replies[], v1_libvirt_replies[];
