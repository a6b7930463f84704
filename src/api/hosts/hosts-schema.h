/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the hosts API answers and takes, for its own documentation. */

#include "api/openapi/schema.h"

extern const Schema hosts_error_schema;
extern const Schema hosts_health_schema;
extern const Schema hosts_host_schema;
extern const Schema hosts_new_host_schema;
extern const Schema hosts_patch_schema;
extern const Schema hosts_info_schema;
extern const Schema hosts_stats_schema;
extern const Schema hosts_capabilities_schema;
extern const Schema hosts_pool_schema;
extern const Schema hosts_volume_schema;
extern const Schema hosts_disk_schema;
extern const Schema hosts_network_schema;
extern const Schema hosts_port_schema;
extern const Schema hosts_port_attachment_schema;
extern const Schema hosts_discovered_schema;
extern const Schema hosts_vm_schema;
extern const Schema hosts_hardware_schema;
extern const Schema hosts_extended_schema;
extern const Schema hosts_vm_stats_schema;
extern const Schema hosts_action_schema;
extern const Schema hosts_dashboard_schema;
extern const Schema hosts_activity_schema;
extern const Schema hosts_overview_schema;
extern const Schema hosts_metrics_schema;
