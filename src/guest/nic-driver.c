/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/nic-driver.h"
#include "basic/string-util.h"
#include "guest/buffer.h"

#define DRIVER "virtio_net"
#define BETWEEN " \t,;\"'[]{}"

static const char *const drivers[] = { "vmxnet3", "vmxnet", "e1000e", "e1000", "pcnet32" };
static const char *const driver_keys[] = { "driver:", "Driver=", "driver=", "match: {driver:" };
static const char *const path_keys[] = { "path:", "Path=", "path=" };

/* The value if the line has one of the keys. */
static const char *value_of(const char *line, const char *const *keys, size_t n) {
        const char *p = line + strspn(line, " \t");

        for (size_t i = 0; i < n; i++) {
                const char *value = startswith(p, keys[i]);
                if (value)
                        return value;
        }
        return NULL;
}

static bool is_driver(const char *word, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                if (n == strlen(drivers[i]) && memcmp(word, drivers[i], n) == 0)
                        return true;
        return false;
}

/* 1 if a driver of VMware is among the words. Repeated ones stay: systemd and NetworkManager allow them. */
static int rewrite_words(const char *step, const char *file, const char *p, const char *end, Changes *c,
                Buffer *out) {
        bool changed = false;

        while (p < end) {
                size_t n = MIN(strcspn(p, BETWEEN "\n"), (size_t) (end - p));
                if (is_driver(p, n)) {
                        _cleanup_free_ char *from = strndup(p, n);
                        int r = from ? changes_add(c, step, file, from, DRIVER) : -ENOMEM;
                        if (r < 0)
                                return r;
                        buffer_add_text(out, DRIVER);
                        changed = true;
                } else
                        buffer_add(out, p, n);
                p += n;
                if (p < end)
                        buffer_add(out, p++, 1);
        }
        return changed;
}

static int rewrite_line(
                const char *step, const char *file, const char *line, size_t n, Changes *c, Buffer *out) {
        const char *value = value_of(line, driver_keys, ELEMENTSOF(driver_keys));

        if (value && value <= line + n) {
                buffer_add(out, line, (size_t) (value - line));
                return rewrite_words(step, file, value, line + n, c, out);
        }
        buffer_add(out, line, n);
        value = value_of(line, path_keys, ELEMENTSOF(path_keys));
        if (!value || value > line + n || !memmem(value, (size_t) (line + n - value), "pci-", 4))
                return 0;
        return changes_warn(c, step,
                        "%s is for the network interface with a PCI path of VMware: it may not be used on "
                        "KVM",
                        file);
}

int nic_driver_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        bool changed = false;

        for (const char *p = text; *p;) {
                size_t n = strcspn(p, "\n");
                int r = rewrite_line(step, file, p, n, changes, &out);

                if (r < 0)
                        return r;
                changed = changed || r > 0;
                buffer_add(&out, p + n, p[n] == '\n');
                p += n + (p[n] == '\n');
        }
        if (!changed)
                return 0;
        int r = buffer_finish(&out, ret, NULL);
        return r < 0 ? r : 1;
}
