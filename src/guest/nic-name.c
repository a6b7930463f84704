/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "guest/nic-name.h"

bool nic_name_is_unstable(const char *name) {
        static const char *const prefixes[] = { "eth", "ens", "eno", "enp", "enx" };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++) {
                const char *rest = startswith(name, prefixes[i]);
                /* A VLAN or an alias is on top of one. */
                if (rest && isxdigit((unsigned char) *rest) && !strpbrk(rest, ".:"))
                        return true;
        }
        return false;
}

/* On ESXi, the hotplug slot that systemd uses is the lower part of the number; functions are counted in the
 * upper part: the NICs 192 and 1216 are ens192 and ens193. */
static bool name_is_of_slot(const char *name, unsigned slot) {
        char expected[NIC_NAME_MAX + 1];

        if (slot == 0)
                return false;
        snprintf(expected, sizeof(expected), "ens%u", (slot & 1023) + (slot >> 10));
        return streq(name, expected);
}

static const Nic *find_mac(const Nics *nics, const char *mac) {
        for (size_t i = 0; i < nics->n; i++)
                if (streq(nics->items[i].mac, mac))
                        return &nics->items[i];
        return NULL;
}

static bool source_has(const NicSource *sources, size_t n, const char *mac) {
        for (size_t i = 0; i < n; i++)
                if (streq(sources[i].mac, mac))
                        return true;
        return false;
}

/* The only one without an address, or NULL. */
static Nic *only_nameless(Nics *nics) {
        Nic *found = NULL;

        for (size_t i = 0; i < nics->n; i++)
                if (!nics->items[i].mac[0]) {
                        if (found)
                                return NULL;
                        found = &nics->items[i];
                }
        return found;
}

/* The only one whose address no name has, or NULL. */
static const NicSource *only_unused(const Nics *nics, const NicSource *sources, size_t n) {
        const NicSource *found = NULL;

        for (size_t i = 0; i < n; i++)
                if (!find_mac(nics, sources[i].mac)) {
                        if (found)
                                return NULL;
                        found = &sources[i];
                }
        return found;
}

void nics_assign(Nics *nics, const NicSource *sources, size_t n) {
        for (size_t i = 0; i < nics->n && n > 0; i++)
                if (!source_has(sources, n, nics->items[i].mac))
                        nics->items[i].mac[0] = 0;
        for (size_t i = 0; i < nics->n; i++)
                for (size_t s = 0; s < n && !nics->items[i].mac[0]; s++)
                        if (name_is_of_slot(nics->items[i].name, sources[s].slot) &&
                                        !find_mac(nics, sources[s].mac))
                                strcpy(nics->items[i].mac, sources[s].mac);
        Nic *nic = only_nameless(nics);
        const NicSource *source = only_unused(nics, sources, n);
        if (nic && source)
                strcpy(nic->mac, source->mac);
}

char *nic_link_text(const Nic *nic) {
        return nic->mac[0] ? strprintf("[Match]\nMACAddress=%s\nType=ether\n\n[Link]\nName=%s\n", nic->mac,
                                             nic->name)
                           : strprintf("[Match]\nDriver=virtio_net\nType=ether\n\n[Link]\nName=%s\n",
                                             nic->name);
}

char *nic_rule_text(const Nic *nic) {
        return strprintf("SUBSYSTEM==\"net\", ACTION==\"add\", ATTR{address}==\"%s\", ATTR{type}==\"1\", "
                         "NAME=\"%s\"\n",
                        nic->mac, nic->name);
}
