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

int device_names_add_member(DeviceNames *d, const char *device, const char *stable) {
        _cleanup_free_ char *a = strdup(device), *b = strdup(stable);

        if (!a || !b || !GREEDY_REALLOC(d->items, d->allocated, d->n + 1))
                return -ENOMEM;
        d->items[d->n++] = (DeviceName){ .device = TAKE_PTR(a), .stable = TAKE_PTR(b) };
        return 0;
}

int device_names_add(DeviceNames *d, const char *device, const char *stable) {
        size_t before = d->n;
        int r = device_names_add_member(d, device, stable);

        for (size_t i = 0; i < before && r >= 0; i++)
                if (streq(d->items[i].stable, stable))
                        d->items[i].ambiguous = d->items[before].ambiguous = true;
        return r;
}

/* Reads a number of at most three digits at *p, without leading zeroes. False if there is none. */
static bool take_number(const char **p, const char *end, unsigned *ret) {
        unsigned n = 0;
        const char *q = *p;

        while (q < end && *q >= '0' && *q <= '9' && n <= NUMBER_MAX)
                n = n * 10 + (unsigned) (*q++ - '0');
        if (q == *p || n > NUMBER_MAX || (**p == '0' && q > *p + 1))
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

/* Partitions are counted from 1. */
static bool take_partition(const char **p, const char *end, unsigned *ret) {
        return take_number(p, end, ret) && *ret > 0;
}

/* Kind (a bit), disk and partition (0: the disk itself) of a name; false if it is none. */
static bool parse_kind(const char *name, size_t length, unsigned *ret_kind, unsigned *ret_disk,
                unsigned *ret_partition) {
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
                if (letters == 0 || (p < end && !take_partition(&p, end, ret_partition)) || p != end)
                        return false;
                *ret_disk = disk - 1;
                *ret_kind = 1u << i;
                return true;
        }
        const char *p = name;
        unsigned controller, namespace;
        if (!take_prefix(&p, end, "/dev/nvme") || !take_number(&p, end, &controller) ||
                        !take_prefix(&p, end, "n") || !take_number(&p, end, &namespace) || namespace == 0)
                return false;
        if (p < end && (!take_prefix(&p, end, "p") || !take_partition(&p, end, ret_partition)))
                return false;
        /* VMware has one controller for 15 disks. */
        *ret_disk = controller * 15 + namespace - 1;
        *ret_kind = 1u << ELEMENTSOF(prefixes);
        return p == end;
}

static bool parse(const char *name, size_t length, unsigned *ret_disk, unsigned *ret_partition) {
        unsigned kind;

        return parse_kind(name, length, &kind, ret_disk, ret_partition);
}

void device_names_note(DeviceNames *d, const char *name, size_t length) {
        unsigned kind, disk, partition;

        if (parse_kind(name, length, &kind, &disk, &partition) && partition > 0)
                d->kinds |= kind;
}

/* Below by-id, what is not named by hardware. */
static const char *const stable_ids[] = { "dm-", "md-", "lvm-" };

/* The partition (0: the disk itself) of the only disk, from "…-part1" below by-id or by-path; false for
 * another name. */
static bool parse_hardware(const char *name, size_t length, unsigned *ret_partition) {
        static const char mark[] = "-part";
        const char *p = name, *end = name + length, *digits = end;

        *ret_partition = 0;
        if (take_prefix(&p, end, "/dev/disk/by-id/")) {
                for (size_t i = 0; i < ELEMENTSOF(stable_ids); i++)
                        if (take_prefix(&p, end, stable_ids[i]))
                                return false;
        } else if (!take_prefix(&p, end, "/dev/disk/by-path/"))
                return false;
        while (digits > p && digits[-1] >= '0' && digits[-1] <= '9')
                digits--;
        if (digits == end || (size_t) (digits - p) < strlen(mark) ||
                        memcmp(digits - strlen(mark), mark, strlen(mark)) != 0)
                return true;
        return take_partition(&digits, end, ret_partition);
}

bool device_name_is_unstable(const char *name, size_t length) {
        unsigned disk, partition;

        return parse(name, length, &disk, &partition) || parse_hardware(name, length, &partition);
}

const char *device_names_find(const DeviceNames *d, const char *name, size_t length) {
        unsigned disk = 0, partition, other_disk, other_partition;

        if (parse(name, length, &disk, &partition)) {
                if ((d->kinds & (d->kinds - 1)) != 0)
                        return NULL;
        } else {
                if (!d->one_disk || !parse_hardware(name, length, &partition))
                        return NULL;
                disk = 0;
        }
        for (size_t i = 0; i < d->n; i++)
                if (parse(d->items[i].device, strlen(d->items[i].device), &other_disk, &other_partition) &&
                                disk == other_disk && partition == other_partition)
                        return d->items[i].ambiguous ? NULL : d->items[i].stable;
        return NULL;
}
