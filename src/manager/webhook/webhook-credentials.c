/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "manager/credentials.h"
#include "manager/webhook/webhook-credentials.h"

#define BESIDE "webhook-"

static char *directory_path(const char *state_directory) {
        return strprintf("%s/credentials/webhooks", state_directory);
}

/* Durable when it gives 0. */
static int move_into(const char *from, const char *directory, const char *to) {
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || rename(from, to) < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

static int make_name(char **ret) {
        sd_id128_t id;
        int r = sd_id128_randomize(&id);

        if (r < 0)
                return r;
        char *name = malloc(SD_ID128_STRING_MAX);
        if (!name)
                return -ENOMEM;
        *ret = sd_id128_to_string(id, name);
        return 0;
}

int webhook_credential_store(const char *state_directory, const char *text, char **ret_name) {
        _cleanup_free_ char *directory = directory_path(state_directory), *name = NULL, *path = NULL,
                            *label = NULL, *beside = NULL;
        int r = directory ? make_name(&name) : -ENOMEM;

        if (r < 0)
                return r;
        path = strprintf("%s/%s", directory, name);
        /* What systemd calls a file of a directory, as systemd.exec(5) says; it must be encrypted with that
         * name. */
        label = strprintf("webhooks_%s", name);
        if (!path || !label)
                return -ENOMEM;
        /* Made beside the directory: systemd may be reading what is in it. */
        beside = strprintf("%s/credentials/" BESIDE "%s", state_directory, name);
        if (!beside)
                return -ENOMEM;
        r = mkdir_parents(directory, 0700);
        if (r >= 0)
                r = credential_write(label, text, beside);
        if (r >= 0)
                r = move_into(beside, directory, path);
        if (r < 0)
                return r;
        *ret_name = TAKE_PTR(name);
        return 0;
}

int webhook_credential_remove(const char *state_directory, const char *name) {
        _cleanup_free_ char *path = strprintf("%s/credentials/webhooks/%s", state_directory, name);

        if (!path)
                return -ENOMEM;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Removes the files in @directory whose names begin with @prefix, but for the @wanted ones. */
static int sweep(const char *directory, const char *prefix, char *const *wanted) {
        DIR *d = opendir(directory);
        int r = 0;

        if (!d)
                return -errno;
        for (struct dirent *de; (de = readdir(d));) {
                if (de->d_name[0] == '.' || !startswith(de->d_name, prefix) ||
                                strv_contains(wanted, de->d_name))
                        continue;
                if (unlinkat(dirfd(d), de->d_name, 0) < 0 && errno != ENOENT)
                        r = -errno;
        }
        closedir(d);
        return r;
}

int webhook_credentials_sweep(const char *state_directory, char *const *wanted) {
        _cleanup_free_ char *directory = directory_path(state_directory),
                            *above = strprintf("%s/credentials", state_directory);
        int r = directory && above ? mkdir_parents(directory, 0700) : -ENOMEM;

        if (r >= 0)
                r = sweep(directory, "", wanted);
        return r < 0 ? r : sweep(above, BESIDE, NULL);
}
