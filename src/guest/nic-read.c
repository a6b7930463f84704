/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/nic-read.h"

#include <ctype.h>
#include <strings.h>

#include "basic/string-util.h"
#include "guest/udev-rule.h"

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
const char *nic_value(const char *s, size_t *n) {
        while (*n > 0 && strchr(" \t\"'", *s)) {
                s++;
                (*n)--;
        }
        while (*n > 0 && strchr(" \t\r\"'", s[*n - 1]))
                (*n)--;
        return s;
}

void nic_set_mac(Nic *nic, const char *mac, size_t n) {
        mac = nic_value(mac, &n);
        if (!mac_is_valid(mac, n))
                return;
        for (size_t i = 0; i < n; i++)
                nic->mac[i] = (char) tolower((unsigned char) mac[i]);
}

void nic_set_name(Nic *nic, const char *name, size_t n) {
        name = nic_value(name, &n);
        if (n == 0 || n > NIC_NAME_MAX || strspn(name, NAME_CHARACTERS) < n || strchr(".-", *name))
                return;
        memcpy(nic->name, name, n);
        nic->name[n] = 0;
}

/* One that is there already gets the address if it has none. */
void nics_add_any(Nics *nics, const Nic *nic) {
        if (!nic->name[0])
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

/* Only a name that the hardware gives: others are those of bridges and the like. */
void nics_add(Nics *nics, const Nic *nic) {
        if (nic_name_is_unstable(nic->name))
                nics_add_any(nics, nic);
}

/* The interfaces of a list of words; ens192.5 and ens192:1 are on top of ens192. */
void nics_add_words(Nics *nics, const char *words, size_t size, const char *by) {
        const char *end = words + size;

        for (const char *p = words; p < end;) {
                Nic nic = { .by = by };
                size_t n = MIN(strcspn(p, " \t\n"), (size_t) (end - p)), base = n;

                for (size_t i = 0; i < n; i++)
                        if (strchr(".:", p[i])) {
                                base = i;
                                break;
                        }
                nic_set_name(&nic, p, base);
                nics_add(nics, &nic);
                p += n;
                p += p < end;
        }
}

/* The next line, without its end; false after the last one. */
bool nic_next_line(const char **p, const char **ret, size_t *ret_length) {
        if (!**p)
                return false;
        *ret = *p;
        *ret_length = strcspn(*p, "\n");
        *p += *ret_length + ((*p)[*ret_length] == '\n');
        return true;
}

bool nic_assignment(const char *line, size_t length, const char *key, const char **ret, size_t *ret_length) {
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

/* --- interfaces(5) ------------------------------------------------------------------------------------ */

/* The line's words behind @key; NULL if it begins with another word. */
static const char *words_after(const char *line, size_t length, const char *key, size_t *ret_length) {
        const char *end = line + length, *p = line;

        while (p < end && strchr(" \t", *p))
                p++;
        if ((size_t) (end - p) <= strlen(key) || !startswith(p, key) || !strchr(" \t", p[strlen(key)]))
                return NULL;
        p += strlen(key);
        while (p < end && strchr(" \t", *p))
                p++;
        *ret_length = (size_t) (end - p);
        return p;
}

void nics_add_ifupdown(Nics *nics, const char *file, const char *text) {
        static const struct {
                const char *key;
                bool one; /* other words follow */
        } keys[] = {
                { "iface", true },
                { "auto" },
                { "allow-auto" },
                { "allow-hotplug" },
                { "bridge_ports" },
                { "bridge-ports" },
                { "bond-slaves" },
                { "bond_slaves" },
                { "slaves" },
                { "vlan-raw-device", true },
                { "vlan_raw_device", true },
        };
        const char *line;
        size_t n;

        while (nic_next_line(&text, &line, &n))
                for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                        size_t length;
                        const char *words = words_after(line, n, keys[i].key, &length);
                        if (words)
                                nics_add_words(nics, words,
                                                keys[i].one ? MIN(strcspn(words, " \t\n"), length) : length,
                                                "ifupdown");
                }
}

/* --- udev --------------------------------------------------------------------------------------------- */

/* What was changed into a comment, or matches another subsystem, is none of them. */
static void add_rule(Nics *nics, const char *rule, size_t n) {
        static const char *const keys[] = { "ATTR{address}", "ATTRS{address}", "SYSFS{address}" };
        size_t length;
        const char *name = udev_rule_value(rule, n, "NAME", "=", &length), *subsystem, *mac = NULL;
        Nic nic = { .by = "udev" };

        if (!name)
                return;
        nic_set_name(&nic, name, length);
        subsystem = udev_rule_value(rule, n, "SUBSYSTEM", "==", &length);
        if (subsystem && (length != 3 || memcmp(subsystem, "net", 3) != 0))
                return;
        for (size_t i = 0; i < ELEMENTSOF(keys) && !mac; i++)
                mac = udev_rule_value(rule, n, keys[i], "==", &length);
        if (mac)
                nic_set_mac(&nic, mac, length);
        if (subsystem || mac)
                nics_add_any(nics, &nic);
}

void nics_add_udev_rules(Nics *nics, const char *file, const char *text) {
        while (*text) {
                size_t n = udev_rule_length(text);

                add_rule(nics, text, n);
                text += n + (text[n] == '\n');
        }
}

bool nics_file_is_copy(const char *file) {
        static const char *const ends[] = { "~", ".bak", ".old", ".orig", ".save", ".rpmsave", ".rpmnew",
                ".rpmorig", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".before-hyper" };

        for (size_t i = 0; i < ELEMENTSOF(ends); i++)
                if (endswith(file, ends[i]))
                        return true;
        return false;
}
