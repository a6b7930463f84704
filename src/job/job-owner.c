/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/job-owner.h"
#include "job/part-lock.h"
#include "job/warm-state.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define SYSTEMD_USERS "/run/systemd/userdb/io.systemd.DynamicUser"
#define ANSWER_MAX ((size_t) 64 * 1024)
#define ANSWER_TIMEOUT_SEC 30

/* --- asking systemd -------------------------------------------------------------------------------- */

static int connect_to_systemd(void) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = SYSTEMD_USERS };
        struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_SEC };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
                        connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* A message of varlink is JSON and a NUL. */
static int read_answer(int fd, char *buffer, size_t size) {
        size_t n = 0;

        while (n < size) {
                ssize_t k = read(fd, buffer + n, size - n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return errno == EAGAIN ? -ETIMEDOUT : -errno;
                if (k == 0)
                        return -ECONNRESET;
                n += (size_t) k;
                if (buffer[n - 1] == 0)
                        return 0;
        }
        return -EFBIG;
}

static int take_answer(const char *text, uid_t *ret) {
        _cleanup_json_ json_t *answer = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(text, strlen(text), &answer, &why);

        if (r < 0)
                return r;
        const char *error = json_string_value(json_object_get(answer, "error"));
        if (error)
                return streq(error, "io.systemd.UserDatabase.NoRecordFound") ? -ESRCH : -EIO;
        json_t *record = json_object_get(json_object_get(answer, "parameters"), "record"),
               *uid = json_object_get(record, "uid");
        if (!json_is_integer(uid) || json_integer_value(uid) <= 0 || json_integer_value(uid) >= UINT32_MAX)
                return -EBADMSG;
        *ret = (uid_t) json_integer_value(uid);
        return 0;
}

/* Takes @parameters. */
static int ask_systemd(json_t *parameters, uid_t *ret) {
        _cleanup_json_ json_t *call = json_pack("{s:s, s:o}", "method",
                        "io.systemd.UserDatabase.GetUserRecord", "parameters", parameters);
        _cleanup_free_ char *text = call ? json_dumps(call, JSON_COMPACT) : NULL,
                            *answer = malloc(ANSWER_MAX);
        _cleanup_close_ int fd = -EBADF;

        if (!text || !answer)
                return -ENOMEM;
        fd = connect_to_systemd();
        if (fd < 0)
                return fd;
        if (send(fd, text, strlen(text) + 1, MSG_NOSIGNAL) != (ssize_t) strlen(text) + 1)
                return -EIO;
        int r = read_answer(fd, answer, ANSWER_MAX);
        return r < 0 ? r : take_answer(answer, ret);
}

int job_user_lookup(const char *name, uid_t *ret) {
        uid_t uid = 0;
        int r = ask_systemd(json_pack("{s:s, s:s}", "userName", name, "service", "io.systemd.DynamicUser"),
                        &uid);

        if (r < 0)
                return r;
        if (!uid_is_dynamic(uid))
                return -EBADMSG;
        *ret = uid;
        return 0;
}

int job_user_is_alive(uid_t uid) {
        uid_t found;
        int r = ask_systemd(json_pack("{s:I, s:s}", "uid", (json_int_t) uid, "service",
                                            "io.systemd.DynamicUser"),
                        &found);

        return r == -ESRCH ? 0 : r < 0 ? r : 1;
}

/* --- directories ----------------------------------------------------------------------------------- */

static int change_entry(int dir_fd, const char *name, uid_t uid) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        /* Something else is not ours: whoever opens it will say so. */
        if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
                return 0;
        if ((st.st_uid != uid || st.st_gid != uid) && fchown(fd, uid, uid) < 0)
                return -errno;
        return (st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0 ? -errno : 0;
}

/* All that is known to be in the place of one disk; the place of a further one is a directory of its own. */
static int change_disk(int part_fd, unsigned disk, uid_t uid) {
        static const char *const names[] = { PART_IMAGE_FILE, CHECKPOINT_FILE, CHECKPOINT_FILE ".new",
                WARM_STATE_FILE, PART_LOCK_FILE };
        _cleanup_close_ int fd = -EBADF;
        int r = part_directory_disk(part_fd, disk, false, &fd);

        if (r < 0)
                return r == -ENOENT || r == -ELOOP || r == -ENOTDIR ? 0 : r;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                r = change_entry(fd, names[i], uid);
                if (r < 0)
                        return r;
        }
        if (disk > 1 && (fchown(fd, uid, uid) < 0 || fchmod(fd, 0700) < 0))
                return -errno;
        return 0;
}

static int change_disks(int part_fd, uid_t uid) {
        int r = 0;

        for (unsigned i = 1; i <= PART_DISKS_MAX && r >= 0; i++)
                r = change_disk(part_fd, i, uid);
        return r;
}

int part_directory_give(int part_fd, uid_t uid) {
        if (uid == 0)
                return 0;
        int r = change_disks(part_fd, uid);
        if (r < 0)
                return r;
        return fchown(part_fd, 0, uid) < 0 || fchmod(part_fd, 0770) < 0 ? -errno : 0;
}

int part_directory_take_back(int part_fd) {
        gid_t group;
        int r = part_directory_group(part_fd, &group);

        if (r < 0 || group == 0)
                return r;
        if (fchmod(part_fd, 0700) < 0 || fchown(part_fd, 0, 0) < 0)
                return -errno;
        return change_disks(part_fd, 0);
}

int part_directory_group(int part_fd, gid_t *ret) {
        struct stat st;

        if (fstat(part_fd, &st) < 0)
                return -errno;
        *ret = (st.st_mode & 020) ? st.st_gid : 0;
        return 0;
}

int results_directory_give(int job_fd, uid_t uid) {
        const char *const directories[] = { JOB_RESULTS_DIRECTORY,
                JOB_RESULTS_DIRECTORY "/" RESULTS_CHECKPOINT_DIRECTORY };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                if (mkdirat(job_fd, directories[i], 0700) < 0 && errno != EEXIST)
                        return -errno;
                _cleanup_close_ int fd = open_no_symlinks(job_fd, directories[i], O_RDONLY | O_DIRECTORY, 0);
                if (fd < 0)
                        return fd;
                int r = part_directory_give(fd, uid);
                if (r < 0)
                        return r;
        }
        return 0;
}
