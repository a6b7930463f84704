/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/string-util.h"
#include "guest/device-name.h"

#define NUMBER_MAX 999u

void device_names_done(DeviceNames *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->items[i].device);
                free(d->items[i].stable);
        }
        free(d->items);
        *d = (DeviceNames){};
}

int device_names_add(DeviceNames *d, const char *device, const char *stable) {
        _cleanup_free_ char *a = strdup(device), *b = strdup(stable);

        if (!a || !b || !GREEDY_REALLOC(d->items, d->allocated, d->n + 1))
                return -ENOMEM;
        d->items[d->n++] = (DeviceName){ .device = TAKE_PTR(a), .stable = TAKE_PTR(b) };
        return 0;
}

/* Reads a number of at most three digits at *p. False if there is no digit. */
static bool take_number(const char **p, const char *end, unsigned *ret) {
        unsigned n = 0;
        const char *q = *p;

        while (q < end && *q >= '0' && *q <= '9' && n <= NUMBER_MAX)
                n = n * 10 + (unsigned) (*q++ - '0');
        if (q == *p || n > NUMBER_MAX)
                return false;
        *p = q;
        *ret = n;
        return true;
}

static bool take_prefix(const char **p, const char *end, const char *prefix) {
        size_t n = strlen(prefix);

        if ((size_t) (end - *p) < n || memcmp(*p, prefix, n) != 0)
                return false;
        *p += n;
        return true;
}

/* Disk and partition (0: the disk itself) of a name; false if it is none. */
static bool parse(const char *name, size_t length, unsigned *ret_disk, unsigned *ret_partition) {
        static const char *const prefixes[] = { "/dev/sd", "/dev/hd", "/dev/vd", "/dev/xvd" };
        const char *end = name + length;

        *ret_partition = 0;
        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++) {
                const char *p = name;

                if (!take_prefix(&p, end, prefixes[i]))
                        continue;
                unsigned disk = 0, letters = 0;
                for (; p < end && *p >= 'a' && *p <= 'z' && letters < 2; p++, letters++)
                        disk = disk * 26 + (unsigned) (*p - 'a') + 1;
                if (letters == 0 || (p < end && !take_number(&p, end, ret_partition)) || p != end)
                        return false;
                *ret_disk = disk - 1;
                return true;
        }
        const char *p = name;
        unsigned controller, namespace;
        if (!take_prefix(&p, end, "/dev/nvme") || !take_number(&p, end, &controller) ||
                        !take_prefix(&p, end, "n") || !take_number(&p, end, &namespace) || namespace == 0)
                return false;
        if (p < end && (!take_prefix(&p, end, "p") || !take_number(&p, end, ret_partition)))
                return false;
        /* VMware has one controller for 15 disks. */
        *ret_disk = controller * 15 + namespace - 1;
        return p == end;
}

static bool is_below(const char *name, size_t length, const char *directory) {
        const char *p = name;

        return take_prefix(&p, name + length, directory);
}

bool device_name_is_unstable(const char *name, size_t length) {
        unsigned disk, partition;

        return parse(name, length, &disk, &partition) || is_below(name, length, "/dev/disk/by-id/") ||
                        is_below(name, length, "/dev/disk/by-path/");
}

const char *device_names_find(const DeviceNames *d, const char *name, size_t length) {
        unsigned disk, partition, other_disk, other_partition;

        if (!parse(name, length, &disk, &partition))
                return NULL;
        for (size_t i = 0; i < d->n; i++)
                if (parse(d->items[i].device, strlen(d->items[i].device), &other_disk, &other_partition) &&
                                disk == other_disk && partition == other_partition)
                        return d->items[i].stable;
        return NULL;
}
