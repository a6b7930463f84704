/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/windows-network.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "basic/string-util.h"

#define HEX "0123456789abcdefABCDEF"
/* The class of network adapters. */
#define NETWORK_CLASS "{4D36E972-E325-11CE-BFC1-08002BE10318}"

void windows_network_done(WindowsNetwork *n) {
        for (size_t i = 0; i < n->n; i++)
                free(n->items[i].name);
        free(n->items);
        *n = (WindowsNetwork){};
}

bool windows_address_is_valid(const char *s) {
        struct in_addr a;

        return strlen(s) < INET_ADDRSTRLEN && inet_pton(AF_INET, s, &a) == 1 && a.s_addr != 0;
}

int windows_mask_length(const char *mask) {
        struct in_addr a;
        int n = 0;

        if (inet_pton(AF_INET, mask, &a) != 1)
                return -EINVAL;
        uint32_t bits = ntohl(a.s_addr);
        for (; bits & 0x80000000u; bits <<= 1)
                n++;
        return bits == 0 ? n : -EINVAL;
}

/* The serial number is the EUI-64 of the address, in two words whose bytes are reversed: 00:50:56:95:08:bb
 * is FF565000BB0895FE, with 00 behind it. */
bool windows_device_mac(const char *id, char *ret) {
        const char *serial = strrchr(id, '\\');
        unsigned b[8];

        if (!startswith(id, "PCI\\VEN_15AD&DEV_07B0&") || strlen(serial + 1) != 18 ||
                        strspn(serial + 1, HEX) != 18)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(b); i++)
                if (sscanf(serial + 1 + 2 * i, "%2x", &b[i]) != 1)
                        return false;
        if (b[0] != 0xFF || b[7] != 0xFE)
                return false;
        (void) snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[3], b[2], b[1], b[6], b[5], b[4]);
        return true;
}

static bool id_is_valid(const char *s) {
        return strlen(s) == 38 && s[0] == '{' && s[37] == '}' && strspn(s + 1, HEX "-") == 36;
}

static void add_address(WindowsInterface *i, const char *address, const char *mask) {
        WindowsAddress *a = &i->addresses[i->n_addresses];

        if (i->n_addresses >= WINDOWS_ADDRESSES_MAX || !windows_address_is_valid(address) ||
                        windows_mask_length(mask) < 0)
                return;
        (void) snprintf(a->address, sizeof(a->address), "%s", address);
        (void) snprintf(a->mask, sizeof(a->mask), "%s", mask);
        i->n_addresses++;
}

static void add_plain(char list[][16], size_t *n, const char *address) {
        if (*n < WINDOWS_ADDRESSES_MAX && windows_address_is_valid(address))
                (void) snprintf(list[(*n)++], 16, "%s", address);
}

/* 0 with or without it, or negative errno. */
static int read_list(const Registry *r, const char *key, const char *name, char ***ret) {
        int k = registry_read_list(r, key, name, ret);

        return k == -ENOENT ? 0 : k;
}

static int read_fixed(const Registry *r, const char *key, WindowsInterface *i) {
        _cleanup_strv_free_ char **addresses = NULL, **masks = NULL, **gateways = NULL;
        _cleanup_free_ char *servers = NULL;
        char *state = NULL;
        int k;

        k = read_list(r, key, "IPAddress", &addresses);
        if (k >= 0)
                k = read_list(r, key, "SubnetMask", &masks);
        if (k >= 0)
                k = read_list(r, key, "DefaultGateway", &gateways);
        if (k < 0)
                return k;
        for (size_t n = 0; addresses && masks && addresses[n] && masks[n]; n++)
                add_address(i, addresses[n], masks[n]);
        STRV_FOREACH(g, gateways)
                add_plain(i->gateways, &i->n_gateways, *g);
        k = registry_read_text(r, key, "NameServer", &servers);
        if (k < 0)
                return k == -ENOENT ? 0 : k;
        for (char *s = strtok_r(servers, ", ", &state); s; s = strtok_r(NULL, ", ", &state))
                add_plain(i->servers, &i->n_servers, s);
        return 0;
}

static int read_connection(const Registry *r, const char *set, WindowsInterface *i) {
        _cleanup_free_ char *key = strprintf("%s\\Control\\Network\\" NETWORK_CLASS "\\%s\\Connection", set,
                                            i->id),
                            *device = NULL;
        int k = key ? registry_read_text(r, key, "Name", &i->name) : -ENOMEM;

        if (k < 0)
                return k;
        k = registry_read_text(r, key, "PnpInstanceID", &device);
        if (k >= 0)
                (void) windows_device_mac(device, i->mac);
        return k == -ENOENT ? 0 : k;
}

/* 1 if it is one that people have configured. */
static int read_interface(const Registry *r, const char *set, const char *id, WindowsInterface *i) {
        _cleanup_free_ char *key = strprintf("%s\\Services\\Tcpip\\Parameters\\Interfaces\\%s", set, id);
        uint32_t dhcp = 0;

        if (!key)
                return -ENOMEM;
        (void) snprintf(i->id, sizeof(i->id), "%s", id);
        int k = read_connection(r, set, i);
        if (k < 0)
                return k == -ENOENT ? 0 : k;
        k = registry_read_number(r, key, "EnableDHCP", &dhcp);
        if (k < 0 && k != -ENOENT)
                return k;
        k = dhcp == 0 ? read_fixed(r, key, i) : 0;
        i->fixed = i->n_addresses > 0;
        return k < 0 ? k : dhcp != 0 || i->fixed;
}

int windows_network_read(const Registry *system, const char *set, WindowsNetwork *ret) {
        _cleanup_free_ char *path = strprintf("%s\\Services\\Tcpip\\Parameters\\Interfaces", set);
        _cleanup_(windows_network_done) WindowsNetwork network = {};
        _cleanup_strv_free_ char **ids = NULL;
        int64_t key = path ? registry_find(system, path) : -ENOMEM;
        int k = key > 0 ? system->ops->names(system->hive, key, &ids) : (int) key;

        STRV_FOREACH(id, ids) {
                if (k < 0 || network.n >= WINDOWS_INTERFACES_MAX)
                        break;
                if (!id_is_valid(*id))
                        continue;
                if (!GREEDY_REALLOC(network.items, network.allocated, network.n + 1))
                        return -ENOMEM;
                network.items[network.n] = (WindowsInterface){};
                k = read_interface(system, set, *id, &network.items[network.n]);
                if (k > 0)
                        network.n++;
                else
                        free(network.items[network.n].name);
        }
        if (k < 0)
                return k;
        *ret = network;
        network = (WindowsNetwork){};
        return 0;
}
