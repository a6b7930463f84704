/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/selinux-prep.h"
#include "basic/string-util.h"
#include "guest/file-contexts.h"

#define STEP "selinux_prep"
#define CONFIG "/etc/selinux/config"
#define POLICY_MAX ((size_t) 16 * 1024 * 1024)

/* The policy, with the lines of the administrator behind it. *ret is NULL if the guest does not use it. */
static int read_policy(Guest *guest, char **ret) {
        _cleanup_free_ char *config = NULL, *mode = NULL, *type = NULL, *path = NULL, *local_path = NULL,
                            *policy = NULL, *local = NULL;
        int r = guest_read(guest, CONFIG, GUEST_FILE_MAX, &config, NULL);

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        mode = selinux_config_value(config, "SELINUX");
        type = selinux_config_value(config, "SELINUXTYPE");
        if (!type || (!streq_ptr(mode, "enforcing") && !streq_ptr(mode, "permissive")))
                return 0;
        path = strprintf("/etc/selinux/%s/contexts/files/file_contexts", type);
        local_path = path ? strprintf("%s.local", path) : NULL;
        if (!local_path)
                return -ENOMEM;
        r = guest_read(guest, path, POLICY_MAX, &policy, NULL);
        if (r >= 0)
                r = guest_read(guest, local_path, POLICY_MAX, &local, NULL);
        if (r == -ENOMEM)
                return r;
        if (!policy)
                return changes_warn(&guest->changes, STEP,
                                "%s cannot be read: files that were changed keep their labels", path);
        *ret = strprintf("%s\n%s", policy, strempty(local));
        return *ret ? 0 : -ENOMEM;
}

static int label(Guest *guest, const char *policy, const char *path) {
        _cleanup_free_ char *wanted = NULL, *old = NULL;
        size_t size = 0;
        int r;

        if (guestfs_exists(guest->g, path) <= 0 || guestfs_is_symlink(guest->g, path) > 0)
                return 0;
        r = file_contexts_find(policy, path, guest_is_directory(guest, path), &wanted);
        if (r <= 0)
                return r;
        char *value = guestfs_lgetxattr(guest->g, path, "security.selinux", &size);
        /* It has its NUL, or has none. */
        old = value ? strndup(value, size) : NULL;
        free(value);
        if (streq_ptr(old, wanted))
                return 0;
        /* A file system without labels, such as the ESP, refuses it. */
        if (guestfs_lsetxattr(guest->g, "security.selinux", wanted, (int) strlen(wanted) + 1, path) < 0)
                return 0;
        return changes_add(&guest->changes, STEP, path, old, wanted);
}

int selinux_prep(Guest *guest) {
        static const char *const directories[] = { "/etc/systemd/network" };
        size_t n = json_array_size(guest->changes.changes);
        _cleanup_free_ char *policy = NULL;
        int r;

        guest_progress(STEP, 95);
        r = read_policy(guest, &policy);
        if (r < 0 || !policy)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(directories) && r >= 0; i++)
                r = label(guest, policy, directories[i]);
        /* A file that was renamed has its new name there. */
        for (size_t i = 0; i < n && r >= 0; i++) {
                json_t *change = json_array_get(guest->changes.changes, i);
                const char *file = json_string_value(json_object_get(change, "file")),
                           *to = json_string_value(json_object_get(change, "to"));
                if (file && *file == '/')
                        r = label(guest, policy, file);
                if (r >= 0 && to && *to == '/')
                        r = label(guest, policy, to);
        }
        return r;
}
