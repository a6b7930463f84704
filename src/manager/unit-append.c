/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/unit-append.h"

#include <sys/mount.h>

#include "basic/string-util.h"

static int append_binds(sd_bus_message *m, char *const *paths) {
        int r = sd_bus_message_open_container(m, 'a', "(ssbt)");

        STRV_FOREACH(s, paths) {
                bool optional = **s == '-';
                const char *path = *s + optional;

                if (r < 0)
                        return r;
                r = sd_bus_message_append(m, "(ssbt)", path, path, (int) optional, (uint64_t) MS_REC);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_pairs(sd_bus_message *m, char *const *strings) {
        int r = sd_bus_message_open_container(m, 'a', "(ss)");

        for (size_t i = 0; r >= 0 && strings[i] && strings[i + 1]; i += 2)
                r = sd_bus_message_append(m, "(ss)", strings[i], strings[i + 1]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_exec(sd_bus_message *m, char **argv, bool ignored) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(sasb)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'r', "sasb");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", argv[0]);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, argv);
        if (r >= 0)
                r = sd_bus_message_append(m, "b", (int) ignored);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_bytes(sd_bus_message *m, char *const *strings) {
        int r = sd_bus_message_open_container(m, 'a', "ay");

        STRV_FOREACH(s, strings) {
                if (r < 0)
                        return r;
                r = sd_bus_message_append_array(m, 'y', *s, strlen(*s));
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_filter(sd_bus_message *m, const UnitProperty *p) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "bas");
        if (r >= 0)
                r = sd_bus_message_append(m, "b", (int) p->number);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, p->strings);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static const char *const signatures[] = {
        [PROPERTY_BOOL] = "b",
        [PROPERTY_I32] = "i",
        [PROPERTY_U32] = "u",
        [PROPERTY_U64] = "t",
        [PROPERTY_STRING] = "s",
        [PROPERTY_STRV] = "as",
        [PROPERTY_EXEC] = "a(sasb)",
        [PROPERTY_BINDS] = "a(ssbt)",
        [PROPERTY_FILTER] = "(bas)",
        [PROPERTY_PAIRS] = "a(ss)",
        [PROPERTY_BYTES] = "aay",
        [PROPERTY_EXIT_STATUS] = "(aiai)",
};

static int append_value(sd_bus_message *m, const UnitProperty *p) {
        switch (p->kind) {
        case PROPERTY_BOOL:
                return sd_bus_message_append(m, "b", (int) p->number);
        case PROPERTY_I32:
                return sd_bus_message_append(m, "i", (int32_t) p->number);
        case PROPERTY_U32:
                return sd_bus_message_append(m, "u", (uint32_t) p->number);
        case PROPERTY_U64:
                return sd_bus_message_append(m, "t", p->number);
        case PROPERTY_STRING:
                return sd_bus_message_append(m, "s", p->strings[0]);
        case PROPERTY_STRV:
                return sd_bus_message_append_strv(m, p->strings);
        case PROPERTY_EXEC:
                return append_exec(m, p->strings, p->number > 0);
        case PROPERTY_BINDS:
                return append_binds(m, p->strings);
        case PROPERTY_FILTER:
                return append_filter(m, p);
        case PROPERTY_PAIRS:
                return append_pairs(m, p->strings);
        case PROPERTY_BYTES:
                return append_bytes(m, p->strings);
        case PROPERTY_EXIT_STATUS:
                return sd_bus_message_append(m, "(aiai)", 1, (int32_t) p->number, 0);
        }
        return -EINVAL;
}

int unit_properties_append(const UnitProperties *p, sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'a', "(sv)");

        for (size_t i = 0; r >= 0 && i < p->n; i++) {
                r = sd_bus_message_open_container(m, 'r', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", p->items[i].name);
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', signatures[p->items[i].kind]);
                if (r >= 0)
                        r = append_value(m, &p->items[i]);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r < 0)
                        return r;
                r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}
