/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/nic-netplan.h"
#include "basic/string-util.h"
#include "guest/nic-read.h"

/* Where a line of netplan's stands. */
typedef struct Netplan {
        size_t section; /* the indentation of "ethernets:" */
        size_t child; /* of the interfaces below it */
        size_t match; /* of "match:" in the interface */
        Nic nic;
} Netplan;

static const char *value_behind(const char *p, const char *end, const char *key, size_t *ret_length) {
        if ((size_t) (end - p) < strlen(key) || !startswith(p, key))
                return NULL;
        *ret_length = (size_t) (end - p) - strlen(key);
        return p + strlen(key);
}

/* "match: {macaddress: …}": up to what ends it. */
static void match_inline(Netplan *s, const char *p, const char *end) {
        static const char key[] = "macaddress:";
        const char *mac = memmem(p, (size_t) (end - p), key, strlen(key));

        if (!mac)
                return;
        mac += strlen(key);
        nic_set_mac(&s->nic, mac, MIN(strcspn(mac, ",}\n"), (size_t) (end - mac)));
}

/* A line of an interface. Outside of "match", macaddress is the one that it is to have. */
static void netplan_property(Netplan *s, const char *p, const char *end, size_t indent) {
        const char *value;
        size_t n;

        if (s->match != SIZE_MAX && indent <= s->match)
                s->match = SIZE_MAX;
        if ((value = value_behind(p, end, "match:", &n))) {
                s->match = indent;
                match_inline(s, value, end);
        } else if (s->match != SIZE_MAX && (value = value_behind(p, end, "macaddress:", &n)))
                nic_set_mac(&s->nic, value, n);
        else if ((value = value_behind(p, end, "set-name:", &n)))
                nic_set_name(&s->nic, value, n);
}

static void netplan_line(Netplan *s, Nics *nics, const char *p, const char *end, size_t indent) {
        if (s->section != SIZE_MAX && indent <= s->section) {
                nics_add(nics, &s->nic);
                *s = (Netplan){ SIZE_MAX, SIZE_MAX, SIZE_MAX, {} };
        }
        if (startswith(p, "ethernets:"))
                s->section = indent;
        else if (s->section != SIZE_MAX && s->child == SIZE_MAX)
                s->child = indent;
        if (s->child == SIZE_MAX)
                return;
        if (indent == s->child) {
                nics_add(nics, &s->nic);
                s->nic = (Nic){ .by = "netplan" };
                s->match = SIZE_MAX;
                nic_set_name(&s->nic, p, MIN(strcspn(p, ":\n"), (size_t) (end - p)));
        } else
                netplan_property(s, p, end, indent);
}

/* Lines of a block's children have one indentation. Only what netplan writes, and people after it: of flow
 * style, only "match: {…}". */
void nics_add_netplan(Nics *nics, const char *file, const char *text) {
        Netplan s = { SIZE_MAX, SIZE_MAX, SIZE_MAX, {} };
        const char *line;
        size_t n;

        while (nic_next_line(&text, &line, &n)) {
                size_t indent = strspn(line, " ");
                const char *comment = memmem(line, n, " #", 2);
                if (comment)
                        n = (size_t) (comment - line);
                if (indent < n && line[indent] != '#')
                        netplan_line(&s, nics, line + indent, line + n, indent);
        }
        nics_add(nics, &s.nic);
}
