/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/network-list.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "basic/string-util.h"
#include "guest/nic-read.h"

static void set_name(NetworkInterface *i, const char *s, size_t n) {
        s = nic_value(s, &n);
        if (n == 0 || n > NETWORK_NAME_MAX)
                return;
        for (size_t k = 0; k < n; k++)
                if (!isgraph((unsigned char) s[k]) || s[k] == '/')
                        return;
        memcpy(i->name, s, n);
        i->name[n] = 0;
}

static void set_mac(NetworkInterface *i, const char *s, size_t n) {
        Nic nic = {};

        nic_set_mac(&nic, s, n);
        if (nic.mac[0])
                memcpy(i->mac, nic.mac, sizeof(i->mac));
}

/* The bits of 255.255.255.0, or -1. */
static int mask_length(const char *text) {
        struct in_addr a;

        if (inet_pton(AF_INET, text, &a) != 1)
                return -1;
        uint32_t mask = ntohl(a.s_addr);
        int n = __builtin_popcount(mask);
        return n == 0 || mask == UINT32_MAX << (32 - n) ? n : -1;
}

/* Adds the length of a network to an address without one. */
static void set_length(NetworkInterface *i, int length) {
        char *a = i->n_addresses > 0 ? i->addresses[i->n_addresses - 1] : NULL;
        size_t used = a ? strlen(a) : 0;

        if (a && length >= 0 && length <= 128 && !strchr(a, '/'))
                snprintf(a + used, sizeof(i->addresses[0]) - used, "/%d", length);
}

static void set_mask(NetworkInterface *i, const char *s, size_t n) {
        char text[INET_ADDRSTRLEN] = "";

        s = nic_value(s, &n);
        if (n == 0 || n >= sizeof(text))
                return;
        memcpy(text, s, n);
        set_length(i, strspn(text, "0123456789") == n && n <= 3 ? atoi(text) : mask_length(text));
}

static void add_address(NetworkInterface *i, const char *s, size_t n) {
        char text[sizeof(i->addresses[0])] = "", plain[sizeof(text)];
        struct in6_addr ignored;

        s = nic_value(s, &n);
        if (n == 0 || n >= sizeof(text) || i->n_addresses == NETWORK_ADDRESSES_MAX)
                return;
        memcpy(text, s, n);
        memcpy(plain, text, sizeof(plain));
        char *slash = strchr(plain, '/');
        if (slash) {
                *slash++ = 0;
                if (!*slash || strlen(slash) > 3 || strspn(slash, "0123456789") != strlen(slash) ||
                                atoi(slash) > (strchr(plain, ':') ? 128 : 32))
                        return;
        }
        if (inet_pton(strchr(plain, ':') ? AF_INET6 : AF_INET, plain, &ignored) != 1)
                return;
        memcpy(i->addresses[i->n_addresses++], text, sizeof(text));
}

static void merge(NetworkInterface *into, const NetworkInterface *from) {
        into->dhcp = into->dhcp || from->dhcp;
        if (!into->mac[0])
                memcpy(into->mac, from->mac, sizeof(into->mac));
        for (size_t i = 0; i < from->n_addresses; i++)
                add_address(into, from->addresses[i], strlen(from->addresses[i]));
}

static void add(NetworkList *l, const NetworkInterface *i) {
        if (!i->name[0] || streq(i->name, "lo"))
                return;
        for (size_t k = 0; k < l->n; k++)
                if (streq(l->items[k].name, i->name)) {
                        merge(&l->items[k], i);
                        return;
                }
        if (l->n < NETWORK_INTERFACES_MAX)
                l->items[l->n++] = *i;
}

/* --- ifupdown -------------------------------------------------------------------------------------- */

/* The next word of a line. */
static bool next_word(const char **p, size_t *left, const char **ret, size_t *ret_length) {
        while (*left > 0 && isblank((unsigned char) **p))
                (*p)++, (*left)--;
        size_t n = MIN(strcspn(*p, " \t\r\n"), *left);
        *ret = *p;
        *ret_length = n;
        *p += n;
        *left -= n;
        return n > 0;
}

static bool word_is(const char *word, size_t n, const char *other) {
        return n == strlen(other) && strncasecmp(word, other, n) == 0;
}

static void ifupdown_option(NetworkInterface *i, const char *key, size_t n, const char *line, size_t left) {
        const char *value;
        size_t length;

        if (!next_word(&line, &left, &value, &length))
                return;
        if (word_is(key, n, "address"))
                add_address(i, value, length);
        else if (word_is(key, n, "netmask"))
                set_mask(i, value, length);
        else if (word_is(key, n, "hwaddress")) {
                if (word_is(value, length, "ether") && !next_word(&line, &left, &value, &length))
                        return;
                set_mac(i, value, length);
        }
}

/* "iface ens192 inet static" begins an interface, and another such word ends it. */
void network_add_ifupdown(NetworkList *l, const char *text) {
        static const char *const others[] = { "auto", "allow-hotplug", "allow-auto", "mapping", "source",
                "source-directory", "no-auto-down", "no-scripts" };
        NetworkInterface i = {};
        const char *line, *word, *value;
        size_t n, length, value_length;

        while (nic_next_line(&text, &line, &n)) {
                if (!next_word(&line, &n, &word, &length) || *word == '#')
                        continue;
                bool iface = word_is(word, length, "iface"), other = iface;
                for (size_t k = 0; k < ELEMENTSOF(others) && !other; k++)
                        other = word_is(word, length, others[k]);
                if (!other) {
                        ifupdown_option(&i, word, length, line, n);
                        continue;
                }
                add(l, &i);
                i = (NetworkInterface){ .by = "ifupdown" };
                if (!iface || !next_word(&line, &n, &value, &value_length))
                        continue;
                set_name(&i, value, value_length);
                while (next_word(&line, &n, &value, &value_length))
                        i.dhcp = i.dhcp || word_is(value, value_length, "dhcp");
        }
        add(l, &i);
}

/* --- netplan --------------------------------------------------------------------------------------- */

/* "[10.0.2.15/24, fd00::1/64]" or one item of a list. */
static void netplan_addresses(NetworkInterface *i, const char *s, size_t n) {
        while (n > 0) {
                size_t length = 0;
                while (length < n && !strchr(",[]{}", s[length]))
                        length++;
                add_address(i, s, length);
                s += MIN(length + 1, n);
                n -= MIN(length + 1, n);
        }
}

/* What follows "key:" in a line. */
static bool netplan_key(const char *p, size_t n, const char *key, const char **ret, size_t *ret_length) {
        size_t length = strlen(key);

        if (n <= length || strncmp(p, key, length) != 0 || p[length] != ':')
                return false;
        *ret = p + length + 1;
        *ret_length = n - length - 1;
        return true;
}

static bool is_true(const char *s, size_t n) {
        static const char *const words[] = { "true", "yes", "on", "y" };

        s = nic_value(s, &n);
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (word_is(s, n, words[i]))
                        return true;
        return false;
}

static void netplan_line(NetworkInterface *i, const char *p, size_t n, bool *addresses) {
        const char *value;
        size_t length;

        if (*p == '-') {
                if (*addresses)
                        netplan_addresses(i, p + 1, n - 1);
                return;
        }
        *addresses = false;
        if (netplan_key(p, n, "addresses", &value, &length)) {
                *addresses = true;
                netplan_addresses(i, value, length);
        } else if (netplan_key(p, n, "dhcp4", &value, &length) ||
                        netplan_key(p, n, "dhcp6", &value, &length))
                i->dhcp = i->dhcp || is_true(value, length);
        else if (netplan_key(p, n, "macaddress", &value, &length))
                set_mac(i, value, length);
        else if (netplan_key(p, n, "set-name", &value, &length))
                set_name(i, value, length);
}

/* Block style, as in nic-name.c: addresses are those of an interface, not those of its name servers. */
void network_add_netplan(NetworkList *l, const char *text) {
        static const char *const sections[] = { "ethernets", "bonds", "bridges", "vlans", "wifis" };
        size_t section = SIZE_MAX, child = SIZE_MAX, option = SIZE_MAX, n;
        bool addresses = false;
        NetworkInterface i = {};
        const char *line, *ignored;

        while (nic_next_line(&text, &line, &n)) {
                size_t indent = strspn(line, " "), length;
                const char *p = line + indent;
                if (indent >= n || *p == '#')
                        continue;
                bool begins = false;
                for (size_t k = 0; k < ELEMENTSOF(sections); k++)
                        begins = begins || netplan_key(p, n - indent, sections[k], &ignored, &length);
                if (section != SIZE_MAX && indent <= section)
                        section = child = SIZE_MAX;
                if (begins && section == SIZE_MAX) {
                        section = indent;
                        continue;
                }
                if (section == SIZE_MAX)
                        continue;
                if (child == SIZE_MAX)
                        child = indent;
                if (indent == child) {
                        add(l, &i);
                        i = (NetworkInterface){ .by = "netplan" };
                        set_name(&i, p, MIN(strcspn(p, ":\n"), n - indent));
                        option = SIZE_MAX;
                        addresses = false;
                        continue;
                }
                if (option == SIZE_MAX)
                        option = indent;
                /* Deeper are those of "nameservers", but also "macaddress" of "match". */
                if (indent == option || *p == '-' ||
                                netplan_key(p, n - indent, "macaddress", &ignored, &length))
                        netplan_line(&i, p, n - indent, &addresses);
                else
                        addresses = false;
        }
        add(l, &i);
}

/* --- files of assignments -------------------------------------------------------------------------- */

typedef struct Keys {
        const char *by;
        const char *name, *name_section, *mac, *address, *length[2], *dhcp, *dhcp_values;
} Keys;

static bool is_word_of(const char *s, size_t n, const char *words) {
        s = nic_value(s, &n);
        for (const char *p = words; *p; p += strcspn(p, " "), p += *p == ' ')
                if (n == strcspn(p, " ") && strncasecmp(p, s, n) == 0)
                        return true;
        return false;
}

/* "IPADDR", "IPADDR0", "address1": digits may follow the key. */
static bool numbered(const char *line, size_t n, const char *key, const char **ret, size_t *ret_length) {
        char with_digit[32];

        if (nic_assignment(line, n, key, ret, ret_length))
                return true;
        for (unsigned i = 0; i < NETWORK_ADDRESSES_MAX; i++) {
                snprintf(with_digit, sizeof(with_digit), "%s%u", key, i);
                if (nic_assignment(line, n, with_digit, ret, ret_length))
                        return true;
        }
        return false;
}

static void add_assignments(NetworkList *l, const char *text, const Keys *keys) {
        NetworkInterface i = { .by = keys->by };
        const char *line, *value, *section = "";
        size_t n, length, section_length = 0;

        while (nic_next_line(&text, &line, &n)) {
                if (*line == '[') {
                        section = line;
                        section_length = n;
                }
                bool here = !keys->name_section || word_is(section, section_length, keys->name_section);
                if (here && nic_assignment(line, n, keys->name, &value, &length))
                        set_name(&i, value, length);
                if (keys->mac && nic_assignment(line, n, keys->mac, &value, &length))
                        set_mac(&i, value, length);
                else if (numbered(line, n, keys->address, &value, &length))
                        add_address(&i, value, MIN(strcspn(value, ",\n"), length));
                else if (nic_assignment(line, n, keys->dhcp, &value, &length))
                        i.dhcp = i.dhcp || is_word_of(value, length, keys->dhcp_values);
                for (size_t k = 0; k < ELEMENTSOF(keys->length) && keys->length[k]; k++)
                        if (numbered(line, n, keys->length[k], &value, &length))
                                set_mask(&i, value, length);
        }
        add(l, &i);
}

void network_add_network_manager(NetworkList *l, const char *text) {
        static const Keys keys = { .by = "NetworkManager",
                .name = "interface-name",
                .mac = "mac-address",
                .address = "address",
                .dhcp = "method",
                .dhcp_values = "auto dhcp" };

        add_assignments(l, text, &keys);
}

void network_add_ifcfg(NetworkList *l, const char *text) {
        static const Keys keys = { .by = "ifcfg",
                .name = "DEVICE",
                .mac = "HWADDR",
                .address = "IPADDR",
                .length = { "PREFIX", "NETMASK" },
                .dhcp = "BOOTPROTO",
                .dhcp_values = "dhcp dhcp4 dhcp6 bootp" };

        add_assignments(l, text, &keys);
}

void network_add_networkd(NetworkList *l, const char *text) {
        static const Keys keys = { .by = "networkd",
                .name = "Name",
                .name_section = "[Match]",
                .mac = "MACAddress",
                .address = "Address",
                .dhcp = "DHCP",
                .dhcp_values = "yes true ipv4 ipv6" };

        add_assignments(l, text, &keys);
}
