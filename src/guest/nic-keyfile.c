/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/nic-keyfile.h"

#include <strings.h>

#include "basic/string-util.h"
#include "guest/nic-read.h"

typedef struct Keys {
        const char *by;
        const char *name_section, *name; /* NULL: any section */
        const char *mac_section;
        const char *const *macs;
} Keys;

static bool is_section(const char *line, const char *section) {
        return !section || strncasecmp(line, section, strlen(section)) == 0;
}

/* The last value of each key; *ret_words are the names. */
static Nic read_assignments(const char *text, const Keys *keys, const char **ret_words, size_t *ret_length) {
        Nic nic = { .by = keys->by };
        const char *line, *value, *section = "";
        size_t n, length;

        *ret_length = 0;
        while (nic_next_line(&text, &line, &n)) {
                if (*line == '[')
                        section = line;
                if (is_section(section, keys->name_section) &&
                                nic_assignment(line, n, keys->name, &value, &length)) {
                        *ret_words = value;
                        *ret_length = length;
                }
                for (size_t i = 0; keys->macs[i]; i++)
                        if (is_section(section, keys->mac_section) &&
                                        nic_assignment(line, n, keys->macs[i], &value, &length))
                                nic_set_mac(&nic, value, length);
        }
        return nic;
}

/* A file for one interface, or with a list of names, which have no address then. */
static void add_assignments(Nics *nics, const char *text, const Keys *keys) {
        const char *words = NULL;
        size_t n;
        Nic nic = read_assignments(text, keys, &words, &n);

        if (n == 0)
                return;
        nic_set_name(&nic, words, n);
        if (nic.name[0])
                nics_add(nics, &nic);
        else
                nics_add_words(nics, words, n, keys->by);
}

void nics_add_network_manager(Nics *nics, const char *file, const char *text) {
        static const char *const macs[] = { "mac-address", NULL };
        static const Keys keys = { "NetworkManager", "[connection]", "interface-name", NULL, macs },
                          vlan = { "NetworkManager", "[vlan]", "parent", "[vlan]", macs };

        add_assignments(nics, text, &keys);
        add_assignments(nics, text, &vlan);
}

/* SUSE has the name in that of the file only. */
static void set_name_of_file(Nic *nic, const char *file) {
        const char *slash = strrchr(file, '/'), *name = startswith(slash ? slash + 1 : file, "ifcfg-");

        if (name)
                nic_set_name(nic, name, strlen(name));
}

/* A shell's word: up to a blank outside of quotes. */
static size_t shell_length(const char *value, size_t n) {
        if (n > 0 && strchr("\"'", *value)) {
                const char *quote = memchr(value + 1, *value, n - 1);
                return quote ? (size_t) (quote - value) + 1 : n;
        }
        for (size_t i = 0; i < n; i++)
                if (strchr(" \t#", value[i]))
                        return i;
        return n;
}

/* The interfaces below bridges, VLANs and bonds. */
static void add_lower(Nics *nics, const char *text) {
        static const char *const keys[] = { "PHYSDEV", "ETHERDEVICE", "BRIDGE_PORTS", "BONDING_SLAVE_0",
                "BONDING_SLAVE_1", "BONDING_SLAVE0", "BONDING_SLAVE1" };
        const char *line, *value;
        size_t n, length;

        while (nic_next_line(&text, &line, &n))
                for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                        if (nic_assignment(line, n, keys[i], &value, &length)) {
                                length = shell_length(value, length);
                                value = nic_value(value, &length);
                                nics_add_words(nics, value, length, "ifcfg");
                        }
}

void nics_add_ifcfg(Nics *nics, const char *file, const char *text) {
        static const char *const macs[] = { "HWADDR", NULL };
        static const Keys keys = { "ifcfg", NULL, "DEVICE", NULL, macs };
        const char *name = NULL;
        size_t n;
        Nic nic = read_assignments(text, &keys, &name, &n);

        if (n > 0)
                nic_set_name(&nic, name, shell_length(name, n));
        if (!nic.name[0])
                set_name_of_file(&nic, file);
        nics_add(nics, &nic);
        add_lower(nics, text);
}

static const char *const match_macs[] = { "MACAddress", "PermanentMACAddress", NULL };

void nics_add_networkd(Nics *nics, const char *file, const char *text) {
        static const Keys keys = { "networkd", "[Match]", "Name", "[Match]", match_macs };

        add_assignments(nics, text, &keys);
}

void nics_add_link(Nics *nics, const char *file, const char *text) {
        static const Keys keys = { "link", "[Link]", "Name", "[Match]", match_macs };
        const char *name = NULL;
        size_t n;
        Nic nic = read_assignments(text, &keys, &name, &n);

        if (n > 0)
                nic_set_name(&nic, name, n);
        nics_add_any(nics, &nic);
}
