/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-lists.h"

#include "basic/string-util.h"
#include "hosts/domain-devices.h"
#include "hosts/host-xml.h"
#include "hosts/libvirt-domain.h"
#include "hosts/libvirt-error.h"

static const char *active_to_string(bool active) {
        return active ? "active" : "inactive";
}

/* --- pools and volumes ----------------------------------------------------------------------------- */

/* An item that cannot be requested or decoded is left out: it may have been removed in between. */
static int add_pool(virStoragePoolPtr pool, HostItems *items) {
        _cleanup_free_ char *xml = virStoragePoolGetXMLDesc(pool, 0), *type = NULL, *path = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN] = "";
        virStoragePoolInfo info;
        int starts = 0, r;

        if (!xml || virStoragePoolGetInfo(pool, &info) < 0)
                return 0;
        r = pool_xml_read(xml, strlen(xml), &type, &path);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        (void) virStoragePoolGetUUIDString(pool, uuid);
        (void) virStoragePoolGetAutostart(pool, &starts);
        return host_items_add(items,
                        TEXTS(strempty(virStoragePoolGetName(pool)), uuid, type, path,
                                        active_to_string(virStoragePoolIsActive(pool) == 1)),
                        NUMBERS(info.capacity, info.allocation, info.available, starts == 1));
}

static int add_volume(const char *pool, virStorageVolPtr volume, HostItems *items) {
        _cleanup_free_ char *xml = virStorageVolGetXMLDesc(volume, 0), *type = NULL, *format = NULL,
                            *path = NULL;
        virStorageVolInfo info;
        int r;

        if (!xml || virStorageVolGetInfo(volume, &info) < 0)
                return 0;
        r = volume_xml_read(xml, strlen(xml), &type, &format, &path);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return host_items_add(items, TEXTS(pool, strempty(virStorageVolGetName(volume)), path, type, format),
                        NUMBERS(info.capacity, info.allocation));
}

static int add_volumes(virStoragePoolPtr pool, HostItems *items) {
        virStorageVolPtr *volumes = NULL;
        int n = virStoragePoolListAllVolumes(pool, &volumes, 0), r = 0;

        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add_volume(strempty(virStoragePoolGetName(pool)), volumes[i], items);
                (void) virStorageVolFree(volumes[i]);
        }
        free(volumes);
        return r;
}

static int for_each_pool(virConnectPtr connection, unsigned flags,
                int (*add)(virStoragePoolPtr pool, HostItems *items), HostItems *items, char **ret_error) {
        virStoragePoolPtr *pools = NULL;
        int n = virConnectListAllStoragePools(connection, &pools, flags), r = 0;

        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add(pools[i], items);
                (void) virStoragePoolFree(pools[i]);
        }
        free(pools);
        return r;
}

int libvirt_pools(virConnectPtr connection, HostItems *items, char **ret_error) {
        return for_each_pool(connection, 0, add_pool, items, ret_error);
}

int libvirt_volumes(virConnectPtr connection, HostItems *items, char **ret_error) {
        return for_each_pool(
                        connection, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE, add_volumes, items, ret_error);
}

/* --- networks -------------------------------------------------------------------------------------- */

static int add_network(virNetworkPtr network, HostItems *items) {
        _cleanup_free_ char *xml = virNetworkGetXMLDesc(network, 0), *mode = NULL, *bridge = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN] = "";
        int starts = 0, r;

        if (!xml)
                return 0;
        r = network_xml_read(xml, strlen(xml), &mode, &bridge);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        (void) virNetworkGetUUIDString(network, uuid);
        (void) virNetworkGetAutostart(network, &starts);
        return host_items_add(items,
                        TEXTS(strempty(virNetworkGetName(network)), uuid, bridge, mode,
                                        active_to_string(virNetworkIsActive(network) == 1)),
                        NUMBERS(starts == 1, virNetworkIsPersistent(network) == 1));
}

int libvirt_networks(virConnectPtr connection, HostItems *items, char **ret_error) {
        virNetworkPtr *networks = NULL;
        int n = virConnectListAllNetworks(connection, &networks, 0), r = 0;

        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add_network(networks[i], items);
                (void) virNetworkFree(networks[i]);
        }
        free(networks);
        return r;
}

/* --- devices of VMs -------------------------------------------------------------------------------- */

typedef int (*read_devices)(
                const char *xml, size_t size, const char *uuid, const char *name, HostItems *items);
/* Completes an item with what is not in the description. */
typedef void (*complete_device)(virDomainPtr domain, HostItem *item);

static int add_devices(virDomainPtr domain, read_devices read, complete_device complete, HostItems *items) {
        _cleanup_free_ char *xml = virDomainGetXMLDesc(domain, 0);
        char uuid[VIR_UUID_STRING_BUFLEN];
        size_t first = items->n;
        int r;

        if (!xml || virDomainGetUUIDString(domain, uuid) < 0)
                return 0;
        r = read(xml, strlen(xml), uuid, strempty(virDomainGetName(domain)), items);
        if (r == -EBADMSG)
                return 0;
        for (size_t i = first; i < items->n; i++)
                complete(domain, items->items + i);
        return r;
}

static int list_devices(virConnectPtr connection, read_devices read, complete_device complete,
                HostItems *items, char **ret_error) {
        virDomainPtr *domains = NULL;
        int n = virConnectListAllDomains(connection, &domains, 0), r = 0;

        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add_devices(domains[i], read, complete, items);
                (void) virDomainFree(domains[i]);
        }
        free(domains);
        return r;
}

static void complete_disk(virDomainPtr domain, HostItem *item) {
        virDomainBlockInfo info;

        if (isempty(item->texts[DISK_PATH]) || isempty(item->texts[DISK_TARGET]))
                return;
        if (virDomainGetBlockInfo(domain, item->texts[DISK_TARGET], &info, 0) == 0)
                item->numbers[DISK_CAPACITY] = info.capacity;
}

static void complete_port(virDomainPtr domain, HostItem *item) {
        virDomainInterfaceStatsStruct stats;

        if (isempty(item->texts[PORT_TARGET]) ||
                        virDomainInterfaceStats(domain, item->texts[PORT_TARGET], &stats, sizeof(stats)) < 0)
                return;
        item->numbers[PORT_RX_BYTES] = stats.rx_bytes < 0 ? 0 : (uint64_t) stats.rx_bytes;
        item->numbers[PORT_TX_BYTES] = stats.tx_bytes < 0 ? 0 : (uint64_t) stats.tx_bytes;
}

int libvirt_disks(virConnectPtr connection, HostItems *items, char **ret_error) {
        return list_devices(connection, domain_xml_disks, complete_disk, items, ret_error);
}

int libvirt_ports(virConnectPtr connection, HostItems *items, char **ret_error) {
        return list_devices(connection, domain_xml_ports, complete_port, items, ret_error);
}
