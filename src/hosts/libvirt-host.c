/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-host.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/host-xml.h"
#include "hosts/libvirt-error.h"
#include "json/json-table.h"

void host_facts_done(HostFacts *f) {
        free(f->hostname);
        *f = (HostFacts){};
}

/* What is neither free nor could be made so at once. Drivers that cannot tell leave it at 0. */
static uint64_t memory_used(virConnectPtr connection, uint64_t total) {
        virNodeMemoryStats stats[16];
        int n = ELEMENTSOF(stats);
        uint64_t unused = 0;

        if (virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &n, 0) < 0) {
                unused = virNodeGetFreeMemory(connection);
                return unused > 0 && unused < total ? total - unused : 0;
        }
        for (int i = 0; i < n; i++)
                if (streq(stats[i].field, VIR_NODE_MEMORY_STATS_FREE) ||
                                streq(stats[i].field, VIR_NODE_MEMORY_STATS_BUFFERS) ||
                                streq(stats[i].field, VIR_NODE_MEMORY_STATS_CACHED))
                        unused += stats[i].value * 1024;
        return unused < total ? total - unused : 0;
}

static void read_cpu_times(virConnectPtr connection, HostFacts *f) {
        virNodeCPUStats stats[16];
        int n = ELEMENTSOF(stats);

        if (virNodeGetCPUStats(connection, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &n, 0) < 0)
                return;
        for (int i = 0; i < n; i++)
                if (streq(stats[i].field, VIR_NODE_CPU_STATS_IDLE) ||
                                streq(stats[i].field, VIR_NODE_CPU_STATS_IOWAIT))
                        f->cpu_idle += stats[i].value;
                else if (!streq(stats[i].field, VIR_NODE_CPU_STATS_UTILIZATION))
                        f->cpu_busy += stats[i].value;
}

int libvirt_facts(virConnectPtr connection, HostFacts *ret, char **ret_error) {
        virNodeInfo info;
        char *name;

        if (!connection)
                return -ENOLINK;
        if (virNodeGetInfo(connection, &info) < 0)
                return libvirt_error(ret_error);
        name = virConnectGetHostname(connection);
        HostFacts f = {
                .hostname = name ? utf8_make_valid(name, strlen(name), 256) : strdup(""),
                .cpu = info.cpus,
                .cores = info.cores,
                .threads = info.threads,
                .memory = (uint64_t) info.memory * 1024,
        };
        free(name);
        if (!f.hostname)
                return -ENOMEM;
        f.memory_used = memory_used(connection, f.memory);
        read_cpu_times(connection, &f);
        *ret = f;
        return 0;
}

int libvirt_disk_space(virConnectPtr connection, uint64_t *ret_total, uint64_t *ret_free, char **ret_error) {
        virStoragePoolPtr *pools = NULL;
        uint64_t total = 0, unused = 0;
        int n;

        if (!connection)
                return -ENOLINK;
        n = virConnectListAllStoragePools(connection, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                virStoragePoolInfo info;

                if (virStoragePoolGetInfo(pools[i], &info) == 0) {
                        total += info.capacity;
                        unused += info.available;
                }
                (void) virStoragePoolFree(pools[i]);
        }
        free(pools);
        *ret_total = total;
        *ret_free = unused;
        return 0;
}

/* What the description does not say. */
static int add_host_info(virConnectPtr connection, json_t *o) {
        const char *type = virConnectGetType(connection);
        _cleanup_free_ char *hostname = NULL;
        char *name = virConnectGetHostname(connection);
        unsigned long version = 0, library = 0;
        virNodeInfo info = {};
        json_t *host;

        hostname = utf8_make_valid(strempty(name), strlen(strempty(name)), 256);
        free(name);
        (void) virConnectGetVersion(connection, &version);
        (void) virConnectGetLibVersion(connection, &library);
        (void) virNodeGetInfo(connection, &info);
        host = json_pack("{s:s, s:s, s:I, s:I, s:i, s:I}", "hostname", strempty(hostname), "hypervisor",
                        type && utf8_is_valid(type) ? type : "", "version", (json_int_t) version,
                        "libvirt_version", (json_int_t) library, "cpus", (int) info.cpus, "memory_bytes",
                        (json_int_t) info.memory * 1024);
        return json_object_set_new(o, "host_info", host) < 0 ? -ENOMEM : 0;
}

int libvirt_capabilities(virConnectPtr connection, char **ret, char **ret_error) {
        _cleanup_json_ json_t *o = NULL;
        _cleanup_free_ char *xml = NULL;
        char *text;
        int r;

        if (!connection)
                return -ENOLINK;
        xml = virConnectGetCapabilities(connection);
        if (!xml)
                return libvirt_error(ret_error);
        r = capabilities_xml_read(xml, strlen(xml), &o);
        if (r == -EBADMSG)
                *ret_error = strdup("libvirt's list of capabilities is malformed");
        if (r < 0)
                return r;
        r = add_host_info(connection, o);
        if (r < 0)
                return r;
        text = json_dumps(o, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
