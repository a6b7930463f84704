/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "guest/nic-name.h"

#define MAC_LENGTH 17u
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static bool mac_is_valid(const char *s, size_t n) {
        if (n != MAC_LENGTH)
                return false;
        for (size_t i = 0; i < n; i++)
                if (i % 3 == 2 ? s[i] != ':' : !isxdigit((unsigned char) s[i]))
                        return false;
        return true;
}

/* Removes quotes around a value, and blanks. */
static const char *value_of(const char *s, size_t *n) {
        while (*n > 0 && strchr(" \t\"'", *s)) {
                s++;
                (*n)--;
        }
        while (*n > 0 && strchr(" \t\r\"'", s[*n - 1]))
                (*n)--;
        return s;
}

static void set_mac(Nic *nic, const char *mac, size_t n) {
        mac = value_of(mac, &n);
        if (!mac_is_valid(mac, n))
                return;
        for (size_t i = 0; i < n; i++)
                nic->mac[i] = (char) tolower((unsigned char) mac[i]);
}

static void set_name(Nic *nic, const char *name, size_t n) {
        name = value_of(name, &n);
        if (n == 0 || n > NIC_NAME_MAX || strspn(name, NAME_CHARACTERS) < n)
                return;
        memcpy(nic->name, name, n);
        nic->name[n] = 0;
}

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

/* One that is there already gets the address if it has none. */
static void add(Nics *nics, const Nic *nic) {
        if (!nic_name_is_unstable(nic->name))
                return;
        for (size_t i = 0; i < nics->n; i++)
                if (streq(nics->items[i].name, nic->name)) {
                        if (!nics->items[i].mac[0])
                                strcpy(nics->items[i].mac, nic->mac);
                        return;
                }
        if (nics->n < NICS_MAX)
                nics->items[nics->n++] = *nic;
}

/* The next line, without its end; false after the last one. */
static bool next_line(const char **p, const char **ret, size_t *ret_length) {
        if (!**p)
                return false;
        *ret = *p;
        *ret_length = strcspn(*p, "\n");
        *p += *ret_length + ((*p)[*ret_length] == '\n');
        return true;
}

void nics_add_ifupdown(Nics *nics, const char *text) {
        const char *line;
        size_t n;

        while (next_line(&text, &line, &n)) {
                size_t blanks = strspn(line, " \t");
                if (blanks > n ||
                                (!startswith(line + blanks, "iface ") &&
                                                !startswith(line + blanks, "iface\t")))
                        continue;
                const char *name = line + blanks + strlen("iface ");
                name += strspn(name, " \t");
                Nic nic = { .by = "ifupdown" };
                set_name(&nic, name, strcspn(name, " \t\n"));
                add(nics, &nic);
        }
}

/* "key = value" or "key=value"; a key of systemd's and NetworkManager's files, or of shell variables. */
static bool assignment(
                const char *line, size_t length, const char *key, const char **ret, size_t *ret_length) {
        const char *end = line + length, *p = line + strspn(line, " \t");
        size_t n = strlen(key);

        if (p > end || (size_t) (end - p) < n || strncasecmp(p, key, n) != 0)
                return false;
        p += n;
        p += strspn(p, " \t");
        if (p >= end || *p != '=')
                return false;
        *ret = p + 1;
        *ret_length = (size_t) (end - p) - 1;
        return true;
}

typedef struct Keys {
        const char *by, *name, *mac;
        const char *section; /* NULL: any */
} Keys;

static void add_assignments(Nics *nics, const char *text, const Keys *keys) {
        Nic nic = { .by = keys->by };
        bool inside = !keys->section;
        const char *line, *value;
        size_t n, length;

        while (next_line(&text, &line, &n)) {
                if (keys->section && *line == '[')
                        inside = strncasecmp(line, keys->section, strlen(keys->section)) == 0;
                if (inside && assignment(line, n, keys->name, &value, &length))
                        set_name(&nic, value, length);
                else if (keys->mac && assignment(line, n, keys->mac, &value, &length))
                        set_mac(&nic, value, length);
        }
        add(nics, &nic);
}

void nics_add_network_manager(Nics *nics, const char *text) {
        static const Keys keys = { "NetworkManager", "interface-name", "mac-address", NULL };

        add_assignments(nics, text, &keys);
}

void nics_add_ifcfg(Nics *nics, const char *text) {
        static const Keys keys = { "ifcfg", "DEVICE", "HWADDR", NULL };

        add_assignments(nics, text, &keys);
}

void nics_add_networkd(Nics *nics, const char *text) {
        static const Keys keys = { "networkd", "Name", "MACAddress", "[Match]" };

        add_assignments(nics, text, &keys);
}

void nics_add_link(Nics *nics, const char *text) {
        static const Keys keys = { "link", "Name", "MACAddress", "[Link]" };

        add_assignments(nics, text, &keys);
}

/* Lines of a block's children have one indentation. Only what netplan writes, and people after it: no flow
 * style. */
void nics_add_netplan(Nics *nics, const char *text) {
        size_t section = SIZE_MAX, child = SIZE_MAX, n;
        Nic nic = {};
        const char *line;

        while (next_line(&text, &line, &n)) {
                size_t indent = strspn(line, " ");
                const char *p = line + indent;
                if (indent >= n || *p == '#')
                        continue;
                if (section != SIZE_MAX && indent <= section) {
                        add(nics, &nic);
                        nic = (Nic){};
                        section = child = SIZE_MAX;
                }
                if (startswith(p, "ethernets:")) {
                        section = indent;
                        continue;
                }
                if (section == SIZE_MAX)
                        continue;
                if (child == SIZE_MAX)
                        child = indent;
                if (indent == child) {
                        add(nics, &nic);
                        nic = (Nic){ .by = "netplan" };
                        set_name(&nic, p, MIN(strcspn(p, ":\n"), n - indent));
                } else if (startswith(p, "macaddress:"))
                        set_mac(&nic, p + strlen("macaddress:"), n - indent - strlen("macaddress:"));
                else if (startswith(p, "set-name:"))
                        set_name(&nic, p + strlen("set-name:"), n - indent - strlen("set-name:"));
        }
        add(nics, &nic);
}

/* The value in quotes behind @key in a line of a rule. */
static const char *rule_value(const char *line, size_t length, const char *key, size_t *ret_length) {
        const char *p = memmem(line, length, key, strlen(key)), *end = line + length;

        if (!p)
                return NULL;
        p += strlen(key);
        *ret_length = MIN(strcspn(p, "\"\n"), (size_t) (end - p));
        return p;
}

void nics_add_udev_rules(Nics *nics, const char *text) {
        const char *line;
        size_t n;

        while (next_line(&text, &line, &n)) {
                size_t length;
                const char *mac = rule_value(line, n, "ATTR{address}==\"", &length);
                Nic nic = { .by = "udev" };

                if (line[strspn(line, " \t")] == '#')
                        continue;
                if (mac)
                        set_mac(&nic, mac, length);
                const char *name = rule_value(line, n, " NAME=\"", &length);
                if (!name)
                        name = rule_value(line, n, ",NAME=\"", &length);
                if (name)
                        set_name(&nic, name, length);
                add(nics, &nic);
        }
}

/* --- the NICs of the source -------------------------------------------------------------------------- */

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
