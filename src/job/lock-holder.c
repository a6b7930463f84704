/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "job/lock-holder.h"

#define COMMAND_LINE_MAX ((size_t) 128 * 1024)
#define FDINFO_MAX ((size_t) 64 * 1024)
#define NAME_SHOWN ((size_t) 128)

/* The files of /proc say that they are empty. */
static int read_proc_file(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = malloc(max + 1);
        size_t n = 0;

        if (fd < 0)
                return -errno;
        if (!text)
                return -ENOMEM;
        while (n < max) {
                ssize_t k = read(fd, text + n, max - n);
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t) k;
        }
        text[n] = 0;
        *ret = TAKE_PTR(text);
        *ret_size = n;
        return 0;
}

/* The value of one key of a list "guest=web,debug-threads=on"; a comma in a value is doubled. */
static char *name_in_list(const char *list) {
        const char *value = startswith(list, "guest=");

        if (!value && strcspn(list, "=") < strcspn(list, ","))
                return NULL;
        if (!value)
                value = list;
        char *name = strdup(value), *to = name;
        for (const char *p = value; name && *p; p++) {
                if (*p == ',' && p[1] != ',')
                        break;
                p += *p == ',';
                *to++ = *p;
        }
        if (name)
                *to = 0;
        return name;
}

char *qemu_guest_name(const char *command_line, size_t size) {
        bool next = false;

        for (size_t i = 0; i < size; i += strnlen(command_line + i, size - i) + 1) {
                _cleanup_free_ char *word = strndup(command_line + i, strnlen(command_line + i, size - i));

                if (!word)
                        return NULL;
                if (next)
                        return name_in_list(word);
                next = streq(word, "-name") || streq(word, "--name");
        }
        return NULL;
}

/* What a person knows a process by. */
static char *describe(int process_fd, const char *pid) {
        _cleanup_free_ char *line = NULL, *guest = NULL, *program = NULL, *shown = NULL;
        size_t size = 0;

        if (read_proc_file(process_fd, "cmdline", COMMAND_LINE_MAX, &line, &size) < 0 || size == 0)
                return strprintf("process %s", pid);
        const char *slash = strrchr(line, '/'), *name = slash ? slash + 1 : line;
        program = utf8_make_valid(name, strlen(name), NAME_SHOWN);
        guest = startswith(name, "qemu") ? qemu_guest_name(line, size) : NULL;
        shown = guest ? utf8_make_valid(guest, strlen(guest), NAME_SHOWN) : NULL;
        if (!program)
                return NULL;
        return shown ? strprintf("%s, process %s (virtual machine %s),", utf8_replace_control(program, '?'),
                                       pid, utf8_replace_control(shown, '?'))
                     : strprintf("%s, process %s,", utf8_replace_control(program, '?'), pid);
}

/* True if the process has the file open with a lock on it: /proc/PID/fdinfo says which descriptor holds
 * one. */
static bool process_holds(int process_fd, const struct stat *file) {
        int fds = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fds >= 0 ? fdopendir(fds) : NULL;
        struct dirent *e;
        bool found = false;

        if (!d) {
                safe_close(fds);
                return false;
        }
        while (!found && (e = readdir(d))) {
                _cleanup_free_ char *info = NULL, *name = strprintf("fdinfo/%s", e->d_name);
                struct stat st;
                size_t size;

                if (e->d_name[0] == '.' || !name || fstatat(dirfd(d), e->d_name, &st, 0) < 0)
                        continue;
                bool same = S_ISBLK(file->st_mode) ? S_ISBLK(st.st_mode) && st.st_rdev == file->st_rdev
                                                   : st.st_ino == file->st_ino && st.st_dev == file->st_dev;
                found = same && read_proc_file(process_fd, name, FDINFO_MAX, &info, &size) >= 0 &&
                                strstr(info, "lock:");
        }
        (void) closedir(d);
        return found;
}

static char *describe_pid(int proc_fd, const char *pid, const struct stat *file) {
        _cleanup_close_ int fd = openat(proc_fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd >= 0 && (!file || process_holds(fd, file)) ? describe(fd, pid) : NULL;
}

char *lock_holder(int fd, pid_t pid) {
        int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = proc_fd >= 0 ? fdopendir(proc_fd) : NULL;
        char *found = NULL, number[32];
        struct dirent *e;
        struct stat st;

        if (!d || fstat(fd, &st) < 0) {
                if (!d)
                        safe_close(proc_fd);
                else
                        (void) closedir(d);
                return NULL;
        }
        snprintf(number, sizeof(number), "%d", (int) pid);
        if (pid > 0)
                found = describe_pid(proc_fd, number, NULL);
        while (pid <= 0 && !found && (e = readdir(d)))
                if (e->d_name[strspn(e->d_name, "0123456789")] == 0)
                        found = describe_pid(proc_fd, e->d_name, &st);
        (void) closedir(d);
        return found;
}
