/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-schema.h"

static const SchemaField error_fields[] = {
        { "code", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        { "details", SCHEMA_ANY },
        { "timestamp", SCHEMA_TIMESTAMP },
        {},
};
const Schema hosts_error_schema = { .name = "Error", .fields = error_fields };

static const SchemaField health_fields[] = {
        { "status", SCHEMA_STRING },
        {},
};
const Schema hosts_health_schema = { .name = "Health", .fields = health_fields };

static const SchemaField host_fields[] = {
        { "id", SCHEMA_STRING },
        { "uri", SCHEMA_STRING, 0, "A user in it reads ***." },
        { "name", SCHEMA_STRING },
        { "created_at", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "createdAt", SCHEMA_TIMESTAMP },
        { "updatedAt", SCHEMA_TIMESTAMP },
        { "connected", SCHEMA_BOOLEAN },
        { "state", SCHEMA_STRING, 0, "CONNECTED, DISCONNECTED or ERROR." },
        { "error", SCHEMA_STRING, 0, "Why it is not connected." },
        { "vm_count", SCHEMA_INTEGER },
        { "auto_reconnect_disabled", SCHEMA_BOOLEAN },
        { "task_state", SCHEMA_STRING, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_host_schema = { .name = "Host", .fields = host_fields };

static const SchemaField new_host_fields[] = {
        { "id", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "Required under /api." },
        { "uri", SCHEMA_STRING, 0, "See hyper-hostd(8)." },
        { "name", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "For people." },
        {},
};
const Schema hosts_new_host_schema = { .name = "NewHost", .fields = new_host_fields };

static const SchemaField patch_fields[] = {
        { "name", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "For people." },
        { "uri", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "Must be the one it has." },
        { "auto_reconnect_disabled", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        {},
};
const Schema hosts_patch_schema = { .name = "HostPatch", .fields = patch_fields };

static const SchemaField info_fields[] = {
        { "hostname", SCHEMA_STRING },
        { "cpu", SCHEMA_INTEGER, 0, "Logical processors." },
        { "memory", SCHEMA_INTEGER, 0, "Bytes." },
        { "memory_used", SCHEMA_INTEGER, 0, "Bytes." },
        { "cores", SCHEMA_INTEGER, 0, "Of a socket." },
        { "threads", SCHEMA_INTEGER, 0, "Of a core." },
        { "uptime", SCHEMA_INTEGER, 0, "Seconds; 0 of another machine." },
        { "connected", SCHEMA_BOOLEAN },
        {},
};
const Schema hosts_info_schema = { .name = "HostInfo", .fields = info_fields };

static const SchemaField stats_fields[] = {
        { "cpu_percent", SCHEMA_NUMBER, 0, "Since the request before." },
        { "memory_total", SCHEMA_INTEGER },
        { "memory_available", SCHEMA_INTEGER },
        { "disk_total", SCHEMA_INTEGER, 0, "Of all active pools." },
        { "disk_free", SCHEMA_INTEGER },
        { "uptime", SCHEMA_INTEGER },
        { "vm_count", SCHEMA_INTEGER },
        { "total_vms", SCHEMA_INTEGER },
        { "vm_counts", SCHEMA_OBJECT, 0, "By state." },
        { "host_info", SCHEMA_OBJECT },
        { "resources", SCHEMA_OBJECT },
        {},
};
const Schema hosts_stats_schema = { .name = "HostStats", .fields = stats_fields };

static const SchemaField capabilities_fields[] = {
        { "host_info", SCHEMA_OBJECT },
        { "cpu_info", SCHEMA_OBJECT },
        { "security_info", SCHEMA_OBJECT },
        { "virt_info", SCHEMA_OBJECT },
        {},
};
const Schema hosts_capabilities_schema = { .name = "Capabilities", .fields = capabilities_fields };

static const SchemaField pool_fields[] = {
        { "id", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        { "name", SCHEMA_STRING },
        { "uuid", SCHEMA_STRING },
        { "type", SCHEMA_STRING },
        { "path", SCHEMA_STRING },
        { "state", SCHEMA_STRING, 0, "active or inactive." },
        { "capacity_bytes", SCHEMA_INTEGER },
        { "allocation_bytes", SCHEMA_INTEGER },
        { "available_bytes", SCHEMA_INTEGER },
        { "autostart", SCHEMA_BOOLEAN },
        { "created_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "updated_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_pool_schema = { .name = "Pool", .fields = pool_fields };

static const SchemaField volume_fields[] = {
        { "id", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        { "storage_pool_id", SCHEMA_STRING },
        { "pool_name", SCHEMA_STRING },
        { "name", SCHEMA_STRING },
        { "path", SCHEMA_STRING },
        { "type", SCHEMA_STRING },
        { "format", SCHEMA_STRING },
        { "capacity_bytes", SCHEMA_INTEGER },
        { "allocation_bytes", SCHEMA_INTEGER },
        { "created_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "updated_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_volume_schema = { .name = "Volume", .fields = volume_fields };

static const SchemaField disk_fields[] = {
        { "id", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        { "vm_uuid", SCHEMA_STRING },
        { "vm_name", SCHEMA_STRING },
        { "disk_id", SCHEMA_STRING, 0, "Its path." },
        { "device_name", SCHEMA_STRING },
        { "bus_type", SCHEMA_STRING },
        { "device", SCHEMA_STRING },
        { "type", SCHEMA_STRING },
        { "format", SCHEMA_STRING },
        { "path", SCHEMA_STRING },
        { "size_bytes", SCHEMA_INTEGER, 0, "0 if it is not known." },
        { "read_only", SCHEMA_BOOLEAN },
        { "shareable", SCHEMA_BOOLEAN },
        { "created_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "updated_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_disk_schema = { .name = "Disk", .fields = disk_fields };

static const SchemaField network_fields[] = {
        { "id", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        { "name", SCHEMA_STRING },
        { "uuid", SCHEMA_STRING },
        { "bridge_name", SCHEMA_STRING },
        { "mode", SCHEMA_STRING, 0, "nat, route, bridge, isolated and so on." },
        { "state", SCHEMA_STRING, 0, "active or inactive." },
        { "autostart", SCHEMA_BOOLEAN },
        { "persistent", SCHEMA_BOOLEAN },
        { "created_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "updated_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_network_schema = { .name = "Network", .fields = network_fields };

static const SchemaField port_fields[] = {
        { "id", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        { "network_id", SCHEMA_STRING, SCHEMA_NULLABLE, "null if it leads to no network of libvirt." },
        { "vm_uuid", SCHEMA_STRING },
        { "vm_name", SCHEMA_STRING },
        { "mac_address", SCHEMA_STRING },
        { "model_name", SCHEMA_STRING },
        { "type", SCHEMA_STRING },
        { "source", SCHEMA_STRING },
        { "port_group", SCHEMA_STRING },
        { "device_name", SCHEMA_STRING, 0, "Empty while the VM is off." },
        { "link_state", SCHEMA_STRING },
        { "rx_bytes", SCHEMA_INTEGER },
        { "tx_bytes", SCHEMA_INTEGER },
        { "created_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "updated_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_port_schema = { .name = "Port", .fields = port_fields };

static const SchemaField port_attachment_fields[] = {
        { "port_id", SCHEMA_STRING },
        { "id", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        { "network_id", SCHEMA_STRING, SCHEMA_NULLABLE, "null if it leads to no network of libvirt." },
        { "vm_uuid", SCHEMA_STRING },
        { "vm_name", SCHEMA_STRING },
        { "mac_address", SCHEMA_STRING },
        { "model_name", SCHEMA_STRING },
        { "type", SCHEMA_STRING },
        { "source", SCHEMA_STRING },
        { "port_group", SCHEMA_STRING },
        { "device_name", SCHEMA_STRING, 0, "Empty while the VM is off." },
        { "link_state", SCHEMA_STRING },
        { "rx_bytes", SCHEMA_INTEGER },
        { "tx_bytes", SCHEMA_INTEGER },
        { "created_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "updated_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_port_attachment_schema = { .name = "PortAttachment", .fields = port_attachment_fields };

static const SchemaField discovered_fields[] = {
        { "uuid", SCHEMA_STRING },
        { "name", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        {},
};
const Schema hosts_discovered_schema = { .name = "DiscoveredVm", .fields = discovered_fields };

static const SchemaField graphics_fields[] = {
        { "vnc", SCHEMA_BOOLEAN },
        { "spice", SCHEMA_BOOLEAN },
        {},
};
static const Schema hosts_graphics_schema = { .name = "Graphics", .fields = graphics_fields };

static const SchemaField vm_fields[] = {
        { "db_id", SCHEMA_INTEGER },
        { "uuid", SCHEMA_STRING },
        { "domain_uuid", SCHEMA_STRING },
        { "host_id", SCHEMA_STRING },
        { "host_name", SCHEMA_STRING },
        { "name", SCHEMA_STRING },
        { "description", SCHEMA_STRING },
        { "vcpu_count", SCHEMA_INTEGER },
        { "memory_bytes", SCHEMA_INTEGER },
        { "memory", SCHEMA_INTEGER, 0, "Bytes." },
        { "max_mem", SCHEMA_INTEGER, 0, "KiB." },
        { "state", SCHEMA_ANY, 0, "A word under /api/v1, the number of libvirt under /api." },
        { "libvirtState", SCHEMA_STRING, 0, "ACTIVE, PAUSED, SUSPENDED, STOPPED, ERROR or UNKNOWN." },
        { "task_state", SCHEMA_STRING, SCHEMA_NULLABLE,
                        "STARTING, STOPPING, REBOOTING or POWERING_OFF while libvirt works on it." },
        { "sync_status", SCHEMA_STRING, 0, "SYNCED, DRIFTED, or UNKNOWN while the host is not connected." },
        { "drift_details", SCHEMA_STRING, 0, "What differs from the persistent definition." },
        { "needs_rebuild", SCHEMA_BOOLEAN },
        { "is_template", SCHEMA_BOOLEAN },
        { "cpu_model", SCHEMA_STRING },
        { "cpu_topology_json", SCHEMA_STRING },
        { "os_type", SCHEMA_STRING },
        { "network_interface", SCHEMA_STRING },
        { "uptime", SCHEMA_INTEGER, SCHEMA_NULLABLE, "Seconds; null if its start was not seen." },
        { "disk_size_gb", SCHEMA_NUMBER, 0, "All its disks together." },
        { "graphics", SCHEMA_OBJECT, .schema = &hosts_graphics_schema },
        { "persistent", SCHEMA_BOOLEAN },
        { "created_at", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        {},
};
const Schema hosts_vm_schema = { .name = "Vm", .fields = vm_fields };

static const SchemaField hardware_fields[] = {
        { "disks", SCHEMA_ARRAY_ANY },
        { "networks", SCHEMA_ARRAY_ANY },
        { "graphics", SCHEMA_ARRAY_ANY },
        {},
};
const Schema hosts_hardware_schema = { .name = "Hardware", .fields = hardware_fields };

static const SchemaField extended_fields[] = {
        { "vm_info", SCHEMA_OBJECT },
        { "cpu_topology", SCHEMA_OBJECT, SCHEMA_NULLABLE },
        { "cpu_features", SCHEMA_ARRAY_ANY },
        { "memory_configs", SCHEMA_ARRAY_ANY },
        { "security_labels", SCHEMA_ARRAY_ANY },
        { "boot_config", SCHEMA_OBJECT },
        { "disk_attachments", SCHEMA_ARRAY_ANY },
        { "port_attachments", SCHEMA_ARRAY_ANY },
        { "video_attachments", SCHEMA_ARRAY_ANY },
        { "filesystem_attachments", SCHEMA_ARRAY_ANY },
        { "tpm_attachments", SCHEMA_ARRAY_ANY },
        { "controller_attachments", SCHEMA_ARRAY_ANY },
        { "host_device_attachments", SCHEMA_ARRAY_ANY },
        { "watchdog_attachments", SCHEMA_ARRAY_ANY },
        { "serial_device_attachments", SCHEMA_ARRAY_ANY },
        { "channel_attachments", SCHEMA_ARRAY_ANY },
        { "sound_attachments", SCHEMA_ARRAY_ANY },
        { "input_attachments", SCHEMA_ARRAY_ANY },
        { "rng_attachments", SCHEMA_ARRAY_ANY },
        { "memory_balloon_attachments", SCHEMA_ARRAY_ANY },
        { "vsock_attachments", SCHEMA_ARRAY_ANY },
        {},
};
const Schema hosts_extended_schema = { .name = "ExtendedHardware", .fields = extended_fields };

static const SchemaField device_stats_fields[] = {
        { "device", SCHEMA_STRING },
        { "read_bytes", SCHEMA_INTEGER },
        { "write_bytes", SCHEMA_INTEGER },
        {},
};
static const Schema hosts_device_stats_schema = { .name = "DeviceStats", .fields = device_stats_fields };

static const SchemaField vm_stats_fields[] = {
        { "state", SCHEMA_INTEGER },
        { "memory", SCHEMA_INTEGER, 0, "KiB." },
        { "max_mem", SCHEMA_INTEGER, 0, "KiB." },
        { "vcpu", SCHEMA_INTEGER },
        { "cpu_time", SCHEMA_INTEGER, 0, "Nanoseconds." },
        { "disk_stats", SCHEMA_ARRAY, .schema = &hosts_device_stats_schema },
        { "net_stats", SCHEMA_ARRAY, .schema = &hosts_device_stats_schema },
        { "cpu_percent", SCHEMA_NUMBER },
        { "memory_mb", SCHEMA_INTEGER },
        { "disk_read_mb", SCHEMA_NUMBER },
        { "disk_write_mb", SCHEMA_NUMBER },
        { "disk_read_kib_per_sec", SCHEMA_NUMBER },
        { "disk_write_kib_per_sec", SCHEMA_NUMBER },
        { "disk_read_iops", SCHEMA_NUMBER },
        { "disk_write_iops", SCHEMA_NUMBER },
        { "network_rx_mb", SCHEMA_NUMBER },
        { "network_tx_mb", SCHEMA_NUMBER },
        { "network_rx_mbps", SCHEMA_NUMBER },
        { "network_tx_mbps", SCHEMA_NUMBER },
        { "uptime", SCHEMA_INTEGER, SCHEMA_NULLABLE },
        {},
};
const Schema hosts_vm_stats_schema = { .name = "VmStats", .fields = vm_stats_fields };

static const SchemaField action_fields[] = {
        { "action", SCHEMA_STRING, 0, "start, shutdown, reboot, destroy or reset." },
        {},
};
const Schema hosts_action_schema = { .name = "Action", .fields = action_fields };

static const SchemaField dashboard_fields[] = {
        { "infrastructure", SCHEMA_OBJECT },
        { "resources", SCHEMA_OBJECT },
        { "health", SCHEMA_OBJECT },
        {},
};
const Schema hosts_dashboard_schema = { .name = "DashboardStats", .fields = dashboard_fields };

static const SchemaField activity_item_fields[] = {
        { "id", SCHEMA_STRING },
        { "type", SCHEMA_STRING, 0, "vm_state_change, host_connect, host_disconnect or system." },
        { "message", SCHEMA_STRING },
        { "hostId", SCHEMA_STRING },
        { "vmUuid", SCHEMA_STRING },
        { "vmName", SCHEMA_STRING },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "severity", SCHEMA_STRING, 0, "info, warning or error." },
        { "details", SCHEMA_STRING },
        {},
};
static const Schema hosts_activity_item_schema = { .name = "Activity", .fields = activity_item_fields };

static const SchemaField activity_fields[] = {
        { "activities", SCHEMA_ARRAY, .schema = &hosts_activity_item_schema },
        { "pagination", SCHEMA_OBJECT },
        {},
};
const Schema hosts_activity_schema = { .name = "Activities", .fields = activity_fields };

static const SchemaField overview_fields[] = {
        { "stats", SCHEMA_OBJECT, .schema = &hosts_dashboard_schema },
        { "activities", SCHEMA_ARRAY, .schema = &hosts_activity_item_schema },
        { "timestamp", SCHEMA_TIMESTAMP },
        {},
};
const Schema hosts_overview_schema = { .name = "Overview", .fields = overview_fields };

static const SchemaField metrics_fields[] = {
        { "diskSmoothAlpha", SCHEMA_NUMBER, SCHEMA_OPTIONAL, "0 to 1." },
        { "cpuSmoothAlpha", SCHEMA_NUMBER, SCHEMA_OPTIONAL, "0 to 1." },
        { "netSmoothAlpha", SCHEMA_NUMBER, SCHEMA_OPTIONAL, "0 to 1." },
        { "cpuDisplayDefault", SCHEMA_STRING, SCHEMA_OPTIONAL, "host, guest or raw." },
        { "units", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "disk: kib or mib; network: kb or mb." },
        {},
};
const Schema hosts_metrics_schema = { .name = "MetricsSettings", .fields = metrics_fields };
