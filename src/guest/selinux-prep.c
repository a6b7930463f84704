/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/selinux-prep.h"
#include "basic/string-util.h"
#include "guest/file-contexts.h"
#include "spec/job-parameters.h"

#define STEP "selinux_prep"
#define CONFIG "/etc/selinux/config"
#define POLICY_MAX ((size_t) 16 * 1024 * 1024)

#define MARK "/.autorelabel"

/* The file_contexts(5) of the guest; *ret is NULL if it does not use SELinux. */
static int find_policy(Guest *guest, char **ret) {
        _cleanup_free_ char *config = NULL, *mode = NULL, *type = NULL;
        int r = guest_read(guest, CONFIG, GUEST_FILE_MAX, &config, NULL);

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        mode = selinux_config_value(config, "SELINUX");
        type = selinux_config_value(config, "SELINUXTYPE");
        if (!type || (!streq_ptr(mode, "enforcing") && !streq_ptr(mode, "permissive")))
                return 0;
        *ret = strprintf("/etc/selinux/%s/contexts/files/file_contexts", type);
        return *ret ? 0 : -ENOMEM;
}

/* With the lines of the administrator behind it; *ret is NULL if it cannot be read. */
static int read_policy(Guest *guest, const char *path, char **ret) {
        _cleanup_free_ char *local_path = strprintf("%s.local", path), *policy = NULL, *local = NULL;
        int r;

        if (!local_path)
                return -ENOMEM;
        r = guest_read(guest, path, POLICY_MAX, &policy, NULL);
        if (r >= 0)
                r = guest_read(guest, local_path, POLICY_MAX, &local, NULL);
        if (r == -ENOMEM || !policy)
                return r == -ENOMEM ? r : 0;
        *ret = strprintf("%s\n%s", policy, strempty(local));
        return *ret ? 0 : -ENOMEM;
}

/* The guest labels all of its files when it starts, and starts once more. */
static int mark(Guest *guest) {
        if (guest_is_file(guest, MARK))
                return 0;
        if (guestfs_touch(guest->g, MARK) < 0)
                return guest_fail_last(guest, "guest_write_failed", "Creating " MARK);
        return changes_add(&guest->changes, STEP, MARK, NULL, "relabel");
}

/* --- the files that were changed --------------------------------------------------------------------- */

/* 1: it could not be labeled. */
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
        /* A file system without labels, such as the ESP, needs none. */
        if (guestfs_lsetxattr(guest->g, "security.selinux", wanted, (int) strlen(wanted) + 1, path) < 0)
                return guestfs_last_errno(guest->g) != EOPNOTSUPP;
        return changes_add(&guest->changes, STEP, path, old, wanted);
}

/* 1: not all of them could be labeled. */
static int label_changed(Guest *guest, const char *policy) {
        static const char *const directories[] = { "/etc/systemd/network" };
        size_t n = json_array_size(guest->changes.changes);
        bool left = guest->changes.left_out > 0;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(directories) && r >= 0; i++, left = left || r > 0)
                r = label(guest, policy, directories[i]);
        /* A file that was renamed has its new name there. */
        for (size_t i = 0; i < n && r >= 0; i++) {
                json_t *change = json_array_get(guest->changes.changes, i);
                const char *file = json_string_value(json_object_get(change, "file")),
                           *to = json_string_value(json_object_get(change, "to"));
                if (file && *file == '/')
                        r = label(guest, policy, file);
                left = left || r > 0;
                if (r >= 0 && to && *to == '/')
                        r = label(guest, policy, to);
                left = left || r > 0;
        }
        return r < 0 ? r : left;
}

static int relabel_changed(Guest *guest, const char *path) {
        _cleanup_free_ char *policy = NULL;
        int r = read_policy(guest, path, &policy);

        if (r >= 0 && !policy) {
                r = changes_warn(&guest->changes, STEP,
                                "%s cannot be read: all files are labeled when the guest starts", path);
                return r < 0 ? r : mark(guest);
        }
        if (r >= 0)
                r = label_changed(guest, policy);
        return r > 0 ? mark(guest) : r;
}

/* --- all files ----------------------------------------------------------------------------------------- */

/* With setfiles(8) of the appliance. Where it does not have it, the guest does it. */
static int relabel_all(Guest *guest, const char *path) {
        static const char *const feature[] = { "selinuxrelabel", NULL };

        if (guestfs_feature_available(guest->g, (char *const *) feature) > 0 &&
                        guestfs_selinux_relabel(guest->g, path, "/", -1) >= 0)
                return changes_add(&guest->changes, STEP, "/", NULL, "relabel");
        int r = changes_warn(&guest->changes, STEP,
                        "The files cannot be labeled in the appliance: this is done when the guest starts");
        return r < 0 ? r : mark(guest);
}

int selinux_prep(Guest *guest) {
        _cleanup_free_ char *path = NULL;
        int r;

        guest_progress(STEP, 95);
        r = find_policy(guest, &path);
        if (r < 0 || !path)
                return r;
        switch (guest->orders->relabel) {
        case RELABEL_FIRSTBOOT:
                return mark(guest);
        case RELABEL_FULL:
                return relabel_all(guest, path);
        default:
                return relabel_changed(guest, path);
        }
}
